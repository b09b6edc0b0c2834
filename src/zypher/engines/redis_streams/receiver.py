"""Receives deliveries, waits for them, and gives back those that no caller got."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress

from zypher.clock import Clock
from zypher.engines.redis_streams.held_deliveries import HeldDeliveries
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.notifications import Notifications
from zypher.engines.redis_streams.ready_lanes import ReadyLanes
from zypher.engines.redis_streams.transitions.deliveries import Deliveries
from zypher.engines.refusals import stopping
from zypher.errors import EngineUnavailable
from zypher.prediction import Delivery, Lane


class Receiver:
    """Holds what was received here until it is settled, released or lost."""

    def __init__(
        self,
        models: KnownModels,
        deliveries: Deliveries,
        held: HeldDeliveries,
        ready: ReadyLanes,
        notifications: Notifications,
        clock: Clock,
    ) -> None:
        self._models = models
        self._deliveries = deliveries
        self._held = held
        self._ready = ready
        self._notifications = notifications
        self._clock = clock
        self._opened = False

    def open(self) -> None:
        """Receive from now on."""
        self._opened = True

    async def receive(self, model: str, limit: int, wait_s: float, lanes: Sequence[Lane]) -> list[Delivery]:
        """Keeps the contract of `Deliveries.receive` for a positive limit."""
        ends = self._clock.monotonic() + wait_s
        await self._notifications.add(model, self._models.keys(model))
        self._models.use(model)
        with self._ready.waiting(model, lanes) as waiter:
            if self._ready.is_empty(model, lanes):
                await waiter.wait(wait_s)
            while True:
                if not self._opened:
                    raise stopping()
                waiter.reset()
                deliveries, emptied = await self._take(model, limit, lanes)
                left_s = ends - self._clock.monotonic()
                if deliveries or (emptied and left_s <= 0):
                    return deliveries
                if emptied:  # else each that was taken has ended instead, and others are ready
                    await waiter.wait(left_s)

    async def close(self) -> None:
        """Receive no more, and release what is held; an attempt counts if it was begun."""
        self._opened = False
        self._held.wake()
        with suppress(EngineUnavailable):  # each lease ends by itself
            released = [self._deliveries.release(delivery, counted=None, delay_s=0) for delivery in self._held]
            await asyncio.gather(*released)

    async def _take(self, model: str, limit: int, lanes: Sequence[Lane]) -> tuple[list[Delivery], bool]:
        """Up to `limit` deliveries that are ready now, and whether nothing else was."""
        receipt = secrets.token_hex(6)
        wakes = self._ready.wakes(model, lanes)
        with self._held.arriving() as cancelled:
            now = self._clock.now()
            answer = self._deliveries.receive(model, limit, receipt, now, lanes)
            try:
                deliveries, emptied = self._deliveries.read(model, receipt, await asyncio.shield(answer), now)
            except (asyncio.CancelledError, EngineUnavailable):
                answer.add_done_callback(lambda late: self._recall(model, receipt, lanes, late))
                raise
            if emptied:
                self._ready.emptied(model, lanes, wakes)
            self._held.add(deliveries, cancelled)
        return deliveries, emptied

    def _recall(self, model: str, receipt: str, lanes: Sequence[Lane], answer: asyncio.Future[object]) -> None:
        """Queue again what no caller got: the caller was cancelled, or the answer was lost."""
        if answer.exception() is not None or self._deliveries.handed_out(answer.result()):
            with suppress(EngineUnavailable):  # each lease ends by itself
                self._deliveries.recall(model, receipt, lanes)
