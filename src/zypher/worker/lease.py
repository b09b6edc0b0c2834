"""Keeps the leases of what runs, and the word that this worker is alive."""

import asyncio
from collections.abc import Callable

from zypher.clock import Clock
from zypher.engines.engine import Deliveries
from zypher.errors import EngineUnavailable
from zypher.prediction import Delivery
from zypher.queue_state import WorkerState


class Leases:
    """Extends every delivery of the worker each third of a lease, so that two misses lose nothing."""

    def __init__(
        self,
        engine: Deliveries,
        clock: Clock,
        lease_s: float,
        held: Callable[[], list[Delivery]],
        state: Callable[[], WorkerState],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._every_s = lease_s / 3
        self._held = held
        self._state = state
        self._due = asyncio.Event()

    def look_again(self) -> None:
        """The worker's presence has changed."""
        self._due.set()

    async def step(self) -> None:
        """Extend and announce once: a third of a lease from now, or as soon as the presence changes."""
        timer = self._clock.call_later(self._every_s, self._due.set)
        try:
            await self._due.wait()
        finally:
            timer.cancel()
        self._due.clear()
        try:
            await self._engine.extend(self._held())
            await self._engine.announce(self._state())
        except EngineUnavailable:
            self._due.set()
            raise
