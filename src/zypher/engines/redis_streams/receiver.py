"""Receives deliveries, waits for them, and gives back those that no caller got."""

import asyncio
import secrets
from contextlib import suppress

from zypher.clock import Clock
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.notifications import Notifications
from zypher.engines.redis_streams.ready_models import ReadyModels
from zypher.engines.redis_streams.transitions.deliveries import Deliveries
from zypher.engines.refusals import stopping
from zypher.errors import EngineUnavailable
from zypher.prediction import Delivery


class Receiver:
    """Holds what was received here until it is settled, released or lost."""

    def __init__(
        self,
        models: KnownModels,
        deliveries: Deliveries,
        ready: ReadyModels,
        notifications: Notifications,
        clock: Clock,
    ) -> None:
        self._models = models
        self._deliveries = deliveries
        self._ready = ready
        self._notifications = notifications
        self._clock = clock
        self._opened = False
        self._held: dict[tuple[str, str], Delivery] = {}  # by prediction id and receipt

    def open(self) -> None:
        """Receive from now on."""
        self._opened = True

    async def receive(self, model: str, limit: int, wait_s: float) -> list[Delivery]:
        """Keeps the contract of `Deliveries.receive` for a positive limit."""
        ends = self._clock.monotonic() + wait_s
        await self._notifications.add(model, self._models.keys(model))
        self._models.use(model)
        with self._ready.waiting(model) as waiter:
            if self._ready.is_empty(model):
                await waiter.wait(wait_s)
            while True:
                if not self._opened:
                    raise stopping()
                waiter.reset()
                deliveries = await self._take(model, limit)
                left_s = ends - self._clock.monotonic()
                if deliveries or left_s <= 0:
                    return deliveries
                await waiter.wait(left_s)

    def forget(self, delivery: Delivery) -> None:
        """Hold this delivery no longer: it is settled, released or lost."""
        self._held.pop((delivery.message.prediction_id, delivery.receipt), None)

    async def close(self) -> None:
        """Receive no more, and release what is held; an attempt counts if it was begun."""
        self._opened = False
        with suppress(EngineUnavailable):  # each lease ends by itself
            released = [self._deliveries.release(delivery, counted=None, delay_s=0) for delivery in self._held.values()]
            await asyncio.gather(*released)

    async def _take(self, model: str, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries that are ready now."""
        receipt = secrets.token_hex(6)
        wakes = self._ready.wakes(model)
        answer = self._deliveries.receive(model, limit, receipt, self._clock.now())
        try:
            deliveries, emptied = self._deliveries.read(model, receipt, await asyncio.shield(answer))
        except (asyncio.CancelledError, EngineUnavailable):
            answer.add_done_callback(lambda late: self._recall(model, receipt, late))
            raise
        if emptied:
            self._ready.emptied(model, wakes)
        for delivery in deliveries:
            self._held[delivery.message.prediction_id, receipt] = delivery
        return deliveries

    def _recall(self, model: str, receipt: str, answer: asyncio.Future[object]) -> None:
        """Queue again what no caller got: the caller was cancelled, or the answer was lost."""
        if answer.exception() is not None or self._deliveries.handed_out(answer.result()):
            with suppress(EngineUnavailable):  # each lease ends by itself
                self._deliveries.recall(model, receipt)
