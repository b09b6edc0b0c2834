"""Keeps free slots filled with deliveries."""

import logging
from collections.abc import Sequence

from zypher.clock import Clock
from zypher.engines.contract import Deliveries
from zypher.prediction import Delivery
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Attempt, Attempts
from zypher.worker.decide import lanes_of
from zypher.worker.revisions import Revisions
from zypher.worker.settler import Settler
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)

_WAIT_S = 60.0
_RECORDED_AFTER = 2  # hand-outs without a beginning: the next one is recorded before it begins
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
        revisions: Revisions,
    ) -> None:
        self.model = ""  # its name, set before the first step
        self._engine = engine
        self._clock = clock
        self._attempts = attempts
        self._slots = slots
        self._settler = settler
        self._metrics = metrics
        self._revisions = revisions
        self._receives = 0

    async def step(self) -> None:
        """Fill what is free once, waiting for room and for deliveries."""
        free = 0 if self._settler.is_full else self._slots.free
        if free <= 0:
            self._slots.room.clear()
            await self._slots.room.wait()
            return
        self._receives += 1
        await self._run(await self._engine.receive(self.model, free, _WAIT_S, lanes_of(self._receives)))

    async def _run(self, deliveries: list[Delivery]) -> None:
        now = self._clock.now()
        unchecked: list[Attempt] = []
        for delivery in deliveries:
            self._metrics.received(delivery.message, now)
            attempt = Attempt(delivery)
            self._attempts.add(attempt)
            if self._revisions.differs(delivery):
                unchecked.append(attempt)
            else:
                self._start(attempt)
        for attempt in await self._checked(unchecked) if unchecked else ():
            if attempt.stop is None:
                self._start(attempt)

    def _start(self, attempt: Attempt) -> None:
        delivery = attempt.delivery
        attempt.careful = delivery.unbegun > _RECORDED_AFTER
        if delivery.unbegun >= _REPORTED_AFTER:
            logger.error("handed out again and again without beginning", extra=_about(delivery))
        self._slots.run(attempt)

    async def _checked(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Those of another revision whose input fits this worker's; the others get no slot."""
        try:
            found = await self._revisions.check([attempt.delivery for attempt in attempts])
        except BaseException:
            self._let_go(attempts)
            raise
        for attempt, unfit in zip(attempts, found, strict=True):
            if unfit is not None and attempt.stop is None:
                self._slots.refuse(attempt, unfit)
        return [attempt for attempt, unfit in zip(attempts, found, strict=True) if unfit is None]

    def _let_go(self, attempts: Sequence[Attempt]) -> None:
        """Keep their leases no longer: these end, and bring the predictions back."""
        for attempt in attempts:
            self._attempts.discard(attempt)


def _about(delivery: Delivery) -> dict[str, object]:
    return {"prediction_id": delivery.message.prediction_id, "times": delivery.unbegun}
