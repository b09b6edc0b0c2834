"""Keeps the leases of what runs, and the word that this worker is alive."""

import asyncio
import logging
from collections.abc import Callable, Collection

from zypher.clock import Clock
from zypher.engines.engine import Deliveries
from zypher.prediction import Delivery
from zypher.presence import Presence

logger = logging.getLogger(__name__)


class Leases:
    """Extends every running delivery each third of a lease, so that two misses lose nothing."""

    def __init__(
        self,
        engine: Deliveries,
        clock: Clock,
        lease_s: float,
        running: Collection[Delivery],
        presence: Callable[[], Presence],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._every_s = lease_s / 3
        self._running = running
        self._presence = presence
        self._due = asyncio.Event()

    def look_again(self) -> None:
        """The worker's presence has changed."""
        self._due.set()

    async def step(self) -> None:
        """Announce and extend once: a third of a lease from now, or as soon as the presence changes."""
        timer = self._clock.call_later(self._every_s, self._due.set)
        await self._due.wait()
        timer.cancel()
        self._due.clear()
        await self._engine.announce(self._presence())
        for lost in await self._engine.extend(list(self._running)):
            logger.warning(
                "lease lost; the prediction may run a second time, only one result will count",
                extra={"prediction_id": lost.message.prediction_id, "attempt": lost.attempt},
            )
