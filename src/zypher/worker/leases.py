"""Keeps the leases of a worker's attempts."""

import logging

from zypher.engines.contract import Deliveries
from zypher.worker.attempt import Attempts
from zypher.worker.protocol import StopReason
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)

PER_LEASE = 3  # extensions within the span of a lease, so that two that fail lose nothing


class Leases:
    """Extends them all at once. An attempt whose lease is lost is stopped: another worker has its prediction."""

    def __init__(self, engine: Deliveries, attempts: Attempts, slots: Slots) -> None:
        self._engine = engine
        self._attempts = attempts
        self._slots = slots

    async def step(self) -> None:
        """Extend once. Raises `EngineUnavailable`."""
        for attempt in self._attempts.of(await self._engine.extend(self._attempts.deliveries())):
            if attempt.ending is not None:
                continue
            delivery = attempt.delivery
            about = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
            logger.warning("lease lost: the attempt is stopped, another one's outcome will count", extra=about)
            replica = self._slots.drop(attempt)
            if replica is None:
                self._attempts.discard(attempt)
            else:
                replica.stop(attempt, StopReason.LEASE_LOST)
