"""Tracks per model whether its queue may be non-empty, and wakes its receivers."""

from collections import Counter
from contextlib import AbstractContextManager

from zypher.clock import Clock
from zypher.engines.waiters import Waiter, Waiters


class ReadyModels:
    """Redis publishes whatever joins an empty queue, so a queue that was read to its end is empty until a wake."""

    def __init__(self, clock: Clock) -> None:
        self._waiters = Waiters[None](clock)
        self._wakes: Counter[str] = Counter()
        self._emptied: dict[str, int] = {}  # how many wakes preceded the read that emptied it

    def waiting(self, model: str) -> AbstractContextManager[Waiter[None]]:
        """A waiter that a wake of this model wakes, as long as the context lasts."""
        return self._waiters.waiting(model)

    def wake(self, model: str) -> None:
        self._wakes[model] += 1
        self._waiters.wake(model)

    def wake_all(self) -> None:
        """Wake every receiver, though no queue is known to be non-empty."""
        self._waiters.wake_all()

    def wakes(self, model: str) -> int:
        """How many wakes there were so far; to be read before the queue is."""
        return self._wakes[model]

    def emptied(self, model: str, wakes: int) -> None:
        """Note that a read, preceded by so many wakes, took everything that was ready."""
        self._emptied[model] = wakes

    def is_empty(self, model: str) -> bool:
        """Whether nothing has become ready since a read that emptied the queue."""
        return self._emptied.get(model) == self._wakes[model]
