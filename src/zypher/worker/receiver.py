"""Keeps free slots filled with deliveries."""

import logging

from zypher.clock import Clock
from zypher.engines.contract import Deliveries
from zypher.prediction import Delivery
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Attempt, Attempts
from zypher.worker.settler import Settler
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)

_WAIT_S = 60.0
_AWAITED_AFTER = 2  # hand-outs without a beginning: the next one is written down before it begins
_REPORTED_AFTER = 5  # hand-outs without a beginning


class Receiver:
    """Receives as many deliveries as there are free slots, and lets their attempts run."""

    def __init__(
        self,
        engine: Deliveries,
        clock: Clock,
        attempts: Attempts,
        slots: Slots,
        settler: Settler,
        metrics: Metrics,
    ) -> None:
        self.model = ""  # its name, set before the first step
        self._engine = engine
        self._clock = clock
        self._attempts = attempts
        self._slots = slots
        self._settler = settler
        self._metrics = metrics

    async def step(self) -> None:
        """Fill what is free once, waiting for room and for deliveries."""
        free = 0 if self._settler.is_full else self._slots.free
        if free <= 0:
            self._slots.room.clear()
            await self._slots.room.wait()
            return
        await self._run(await self._engine.receive(self.model, free, _WAIT_S))

    async def _run(self, deliveries: list[Delivery]) -> None:
        now = self._clock.now()
        careful: list[Attempt] = []
        for delivery in deliveries:
            self._metrics.received(delivery.message, now)
            attempt = Attempt(delivery)
            self._attempts.add(attempt)
            if delivery.unbegun > _AWAITED_AFTER:
                careful.append(attempt)
            else:
                self._slots.run(attempt)
        if careful:
            await self._run_careful(careful)

    async def _run_careful(self, attempts: list[Attempt]) -> None:
        """Run what may have ended its workers before they could say that it had begun: say so first."""
        for attempt in attempts:
            if attempt.delivery.unbegun >= _REPORTED_AFTER:
                logger.error("handed out again and again without beginning", extra=_about(attempt.delivery))
        try:
            await self._engine.begin([attempt.delivery for attempt in attempts])
        except BaseException:
            for attempt in attempts:
                self._attempts.discard(attempt)  # its lease ends and brings it back
            raise
        for attempt in attempts:
            attempt.noted = True
            self._slots.run(attempt)


def _about(delivery: Delivery) -> dict[str, object]:
    return {"prediction_id": delivery.message.prediction_id, "times": delivery.unbegun}
