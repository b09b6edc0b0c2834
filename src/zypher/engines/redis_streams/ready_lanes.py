"""Tracks per model and lanes whether there may be something to receive, and wakes the receivers."""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

from zypher.clock import Clock
from zypher.engines.waiters import Waiter, Waiters
from zypher.prediction import Lane


class ReadyLanes:
    """Redis publishes whatever joins an empty lane, so lanes that were read to their end are empty until a wake.

    Receivers of predictions are woken together, whatever their lanes; those of notices for themselves.
    """

    def __init__(self, clock: Clock) -> None:
        self._waiters = Waiters[None](clock)
        self._wakes: Counter[tuple[str, Lane]] = Counter()
        self._emptied: dict[tuple[str, tuple[Lane, ...]], int] = {}  # how many wakes preceded the read that did it

    def waiting(self, model: str, lanes: Sequence[Lane]) -> AbstractContextManager[Waiter[None]]:
        """A waiter that a wake of one of these lanes wakes, as long as the context lasts."""
        return self._waiters.waiting(_name(model, lanes))

    def wake(self, model: str, lanes: Collection[Lane]) -> None:
        """Something of these lanes may be ready."""
        for lane in lanes:
            self._wakes[model, lane] += 1
        for name in {_name(model, (lane,)) for lane in lanes}:
            self._waiters.wake(name)

    def wake_all(self) -> None:
        """Wake every receiver, though nothing is known to be ready."""
        self._waiters.wake_all()

    def wakes(self, model: str, lanes: Sequence[Lane]) -> int:
        """How many wakes of these lanes there were so far; to be read before they are."""
        return sum(self._wakes[model, lane] for lane in lanes)

    def emptied(self, model: str, lanes: Sequence[Lane], wakes: int) -> None:
        """Note that a read, preceded by so many wakes, took everything that was ready."""
        self._emptied[model, tuple(lanes)] = wakes

    def is_empty(self, model: str, lanes: Sequence[Lane]) -> bool:
        """Whether nothing of these lanes has become ready since a read that emptied them."""
        return self._emptied.get((model, tuple(lanes))) == self.wakes(model, lanes)


def _name(model: str, lanes: Sequence[Lane]) -> str:
    return f"{'notices' if Lane.WEBHOOKS in lanes else 'predictions'} of {model}"
