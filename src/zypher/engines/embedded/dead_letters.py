"""The dead letters: which there are, replay and purge."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from msgspec.structs import replace

from zypher.engines.embedded.engine_clock import EngineClock
from zypher.engines.embedded.journal import DeadLetter, Forget, Journal, Replay, WaitingRow, resolve
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.errors import EngineUnavailable
from zypher.prediction import FailureKind, Prediction


class DeadLetters:
    """Memory lists them, so of a replay and a purge at once the second finds none."""

    def __init__(self, engine_clock: EngineClock, predictions: Predictions, journal: Journal) -> None:
        self._engine_clock = engine_clock
        self._predictions = predictions
        self._journal = journal
        self._letters: dict[str, OrderedDict[str, DeadLetter]] = {}  # by model and id, those that died first first

    def restore(self, letters: Iterable[DeadLetter]) -> None:
        """Add those of an earlier process."""
        for letter in letters:
            self._add(letter)

    def add_if_dead(self, row: int, prediction: Prediction, ended_us: int) -> None:
        """Add a prediction whose end is stored, if it failed as `worker_lost`."""
        failure = prediction.outcome.failure if prediction.outcome else None
        if failure is not None and failure.kind is FailureKind.WORKER_LOST:
            about = prediction.prediction_id, prediction.model, prediction.submitted_at
            self._add(DeadLetter(row, *about, ended_us, prediction.options))

    def of(self, model: str) -> list[str]:
        """The ids of a model's dead letters, those that died first first."""
        return list(self._kept(model))

    def count(self, model: str) -> int:
        """How many dead letters a model has; the cost does not grow with them."""
        return len(self._kept(model))

    def models(self) -> set[str]:
        return {model for model in self._letters if self._kept(model)}

    async def replay(self, prediction_id: str) -> bool:
        """Queue it again, as new. Raises `QueueFull`, and `EngineUnavailable` when the journal cannot store."""
        self._journal.recovery.check()
        letter = self._find(prediction_id)
        if letter is None:
            return False
        fullness = self._predictions.fullness(letter.model, 1)
        if fullness is not None:
            raise fullness
        del self._letters[letter.model][prediction_id]
        again = replace(letter, options=replace(letter.options, deadline=None))
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        done = partial(self._written, again, self._queue_again, written)
        self._journal.write(Replay(letter.row, again.options, done))
        return await written

    async def purge(self, prediction_id: str) -> bool:
        """Forget it and its key. Raises `EngineUnavailable` when the journal cannot store."""
        self._journal.recovery.check()
        letter = self._find(prediction_id)
        if letter is None:
            return False
        del self._letters[letter.model][prediction_id]
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._journal.write(Forget(letter.row, partial(self._written, letter, self._forget, written)))
        return await written

    def _add(self, letter: DeadLetter) -> None:
        self._letters.setdefault(letter.model, OrderedDict())[letter.prediction_id] = letter

    def _put_back(self, letter: DeadLetter) -> None:
        """Add one in its old place whose replay or purge failed."""
        self._add(letter)
        in_order = sorted(self._letters[letter.model].values(), key=lambda each: each.ended_us)
        self._letters[letter.model] = OrderedDict((each.prediction_id, each) for each in in_order)

    def _kept(self, model: str) -> Mapping[str, DeadLetter]:
        """A model's dead letters, after those were forgotten whose retention is over."""
        letters = self._letters.get(model, OrderedDict())
        while letters and self._is_over(next(iter(letters.values()))):
            letters.popitem(last=False)
        return letters

    def _find(self, prediction_id: str) -> DeadLetter | None:
        found = (letters.get(prediction_id) for letters in self._letters.values())
        return next((letter for letter in found if letter is not None and not self._is_over(letter)), None)

    def _is_over(self, letter: DeadLetter) -> bool:
        return letter.ended_us <= self._engine_clock.kept_since_us()

    def _written(
        self,
        letter: DeadLetter,
        then: Callable[[DeadLetter], None],
        written: asyncio.Future[bool],
        error: EngineUnavailable | None,
    ) -> None:
        if error is None:
            then(letter)
            resolve(written, True)
        else:
            self._put_back(letter)
            resolve(written, error)

    def _queue_again(self, letter: DeadLetter) -> None:
        self._predictions.recent.forget(letter.prediction_id)
        waiting = WaitingRow(letter.row, letter.prediction_id, letter.model, letter.submitted_at, 0, letter.options)
        self._predictions.restore(waiting)

    def _forget(self, letter: DeadLetter) -> None:
        self._predictions.recent.forget(letter.prediction_id)
