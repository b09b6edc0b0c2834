"""Who waits for what in this process: woken by a notice, by the next look, or by the time."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from zypher.clock import Clock


class Bell:
    """One who waits. What rings while nobody waits is not forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()
        self.said = b""  # the last that was said with a ring

    def ring(self, said: bytes = b"") -> None:
        self.said = said or self.said
        self._rung.set()

    def reset(self) -> None:
        """From now on only a new ring counts; look after this, then wait."""
        self._rung.clear()

    async def wait(self, within_s: float) -> None:
        """Return once rung, or when the time is over."""
        timer = None if within_s == float("inf") else self._clock.call_later(within_s, self._rung.set)
        try:
            await self._rung.wait()
        finally:
            if timer is not None:
                timer.cancel()


class Bells:
    """The bells of all who wait, by what they wait for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bells: dict[str, set[Bell]] = {}

    @contextmanager
    def hang(self, name: str) -> Generator[Bell]:
        """A bell that rings for `name` as long as this lasts."""
        bell = Bell(self._clock)
        self._bells.setdefault(name, set()).add(bell)
        try:
            yield bell
        finally:
            bells = self._bells[name]
            bells.discard(bell)
            if not bells:
                del self._bells[name]

    def ring(self, name: str, said: bytes = b"") -> None:
        for bell in self._bells.get(name, ()):
            bell.ring(said)

    def ring_all(self) -> None:
        for name in self._bells:
            self.ring(name)
