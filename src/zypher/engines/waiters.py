"""Tasks of this process that wait, each for something with a name, until they are woken or their time is over."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Generic, TypeVar

from zypher.clock import Clock

ValueT = TypeVar("ValueT")


class Waiter(Generic[ValueT]):
    """One task that waits. A wake that finds it busy ends its next `wait` at once."""

    def __init__(self, clock: Clock) -> None:
        self.value: ValueT | None = None  # of the last wake that had one
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self, value: ValueT | None = None) -> None:
        """End its wait; the value stays until another wake has one."""
        if value is not None:
            self.value = value
        self._woken.set()

    def reset(self) -> None:
        """Forget earlier wakes. Read the state after this and wait then, so that no change in between is missed."""
        self._woken.clear()

    async def wait(self, within_s: float) -> None:
        """Return once woken, or after `within_s` seconds; infinity: only once woken."""
        timer = None if within_s == float("inf") else self._clock.call_later(within_s, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            if timer is not None:
                timer.cancel()


class Waiters(Generic[ValueT]):
    """All waiters, by the name of what they wait for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiters: dict[str, set[Waiter[ValueT]]] = {}

    @contextmanager
    def waiting(self, name: str) -> Generator[Waiter[ValueT]]:
        """A waiter that a wake of `name` wakes, as long as the context lasts."""
        waiter = Waiter[ValueT](self._clock)
        self._waiters.setdefault(name, set()).add(waiter)
        try:
            yield waiter
        finally:
            waiters = self._waiters[name]
            waiters.discard(waiter)
            if not waiters:
                del self._waiters[name]

    def wake(self, name: str, value: ValueT | None = None) -> None:
        """Wake each that waits for `name`; harmless when none does."""
        for waiter in self._waiters.get(name, ()):
            waiter.wake(value)

    def wake_all(self) -> None:
        """Wake every one, without a value."""
        for name in self._waiters:
            self.wake(name)
