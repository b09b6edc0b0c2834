"""What was accepted, what was read of it, and what of that breaks the promise."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from tests.chaos.question import Question

_LOST_WORKERS = "worker_lost"
_LOST_DATA = "data_lost"


@dataclass(frozen=True, slots=True)
class Result:
    """What could be read of a prediction that has ended."""

    output: bytes | None = None  # JSON
    error: str = ""  # when there is no output


@dataclass(slots=True)
class _Entry:
    question: Question
    results: list[Result] = field(default_factory=list[Result])  # different ones only; more than one is a fault
    readings: int = 0  # times that it was read with a result
    missing: bool = False  # once it was not known
    undone: bool = False  # once it was pending after it had ended


class Ledger:
    """Every accepted prediction with its readings."""

    def __init__(self, destroyed: Set[str] = frozenset()) -> None:
        """`destroyed`: ids of which a fault took away what was stored; they may end as data_lost or be unknown."""
        self.strange: list[str] = []  # answers that nobody should get
        self._destroyed = destroyed
        self.synchronous = 0  # right answers to those who waited for a prediction that no one reads again
        self._entries: dict[str, _Entry] = {}
        self._keys: dict[str, set[str]] = {}

    def accepted(self, prediction_id: str, question: Question, key: str | None = None) -> None:
        """The service has promised a result; a key's every submission counts."""
        self._entries.setdefault(prediction_id, _Entry(question))
        if key is not None:
            self._keys.setdefault(key, set()).add(prediction_id)

    def read(self, prediction_id: str, result: Result) -> None:
        """A result was seen."""
        entry = self._entries[prediction_id]
        entry.readings += 1
        if result not in entry.results:
            entry.results.append(result)

    def has_result(self, prediction_id: str) -> bool:
        """Whether a result was seen."""
        return bool(self._entries[prediction_id].results)

    def undone(self, prediction_id: str) -> None:
        """It was pending, asked after a result had been seen."""
        self._entries[prediction_id].undone = True

    def missed(self, prediction_id: str) -> None:
        """The service said that it does not know this prediction."""
        self._entries[prediction_id].missing = True

    def answered(self, question: Question, result: Result, prediction_id: str = "") -> None:
        """A caller who waited got this, about a prediction that may be forgotten."""
        self.synchronous += 1
        if not _is_right(question, result) and not self._is_excused(prediction_id, result):
            self.strange.append(f"number {question.number} was answered with {result}")

    def open(self) -> list[str]:
        """The ids without a result so far, the oldest first."""
        return [prediction_id for prediction_id, entry in self._entries.items() if not entry.results]

    def all(self) -> list[str]:
        return list(self._entries)

    def lost(self) -> list[str]:
        """The ids that have no result, or that were unknown at any time without having been destroyed."""
        return [
            each
            for each, entry in self._entries.items()
            if (entry.missing and each not in self._destroyed) or not (entry.missing or entry.results)
        ]

    def wrong(self) -> list[str]:
        """What was neither the right output nor a failure that the service may state."""
        return [
            f"{prediction_id}, number {entry.question.number}: {result}"
            for prediction_id, entry in self._entries.items()
            for result in entry.results
            if not _is_right(entry.question, result) and not self._is_excused(prediction_id, result)
        ]

    def doubled(self) -> list[str]:
        """Ids with two results, or with one that was taken back, and keys with two predictions."""
        ids = [
            f"{prediction_id}: {entry.results}"
            for prediction_id, entry in self._entries.items()
            if len(self._of_model(prediction_id)) > 1 or (entry.undone and prediction_id not in self._destroyed)
        ]
        keys = ((key, own) for key, own in self._keys.items() if self._destroyed.isdisjoint(own))
        return ids + [f"key {key}: {sorted(own)}" for key, own in keys if len(own) > 1]

    def charged(self, attempts: Mapping[str, int], runs: Mapping[int, Sequence[object]], unnoted: int = 0) -> list[str]:
        """What has more attempts by the engine than runs by the model's own notes.

        So many runs of one may have begun without a note: those that another one kept from their first line, which it
        can do by holding the GIL.
        """
        return [
            f"{prediction_id}, number {entry.question.number}: {attempts[prediction_id]} attempts"
            for prediction_id, entry in self._entries.items()
            if attempts.get(prediction_id, 0) > len(runs.get(entry.question.number, ())) + unnoted
        ]

    def data_lost(self) -> int:
        """How many ended as data_lost or are unknown, all destroyed by a fault."""
        entries = (self._entries[each] for each in self._destroyed if each in self._entries)
        return sum(entry.missing or any(_LOST_DATA in result.error for result in entry.results) for entry in entries)

    def _is_excused(self, prediction_id: str, result: Result) -> bool:
        return _LOST_DATA in result.error and prediction_id in self._destroyed

    def _of_model(self, prediction_id: str) -> list[Result]:
        """The results but for the loss of one that was destroyed."""
        return [each for each in self._entries[prediction_id].results if not self._is_excused(prediction_id, each)]

    def given_up(self) -> list[Question]:
        """What failed because it lost its workers too often."""
        return [
            entry.question
            for entry in self._entries.values()
            if entry.results and _LOST_WORKERS in entry.results[0].error
        ]

    def least_readings(self) -> int:
        """How often the result that was read least was read."""
        return min((entry.readings for entry in self._entries.values()), default=0)

    def ends(self) -> Counter[str]:
        """How the predictions ended."""
        return Counter(_ending(entry.results[0]) for entry in self._entries.values() if entry.results)


def _is_right(question: Question, result: Result) -> bool:
    if result.output is not None:
        return question.is_answered_by(result.output)
    return _LOST_WORKERS in result.error or question.is_refused_by(result.error)


def _ending(result: Result) -> str:
    if result.output is not None:
        return "succeeded"
    if _LOST_DATA in result.error:
        return "data_lost"
    return "lost its workers" if _LOST_WORKERS in result.error else "failed as asked"
