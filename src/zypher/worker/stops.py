"""Stops attempts that are to end before their time."""

import logging

from zypher.engines.contract import Deliveries
from zypher.prediction import Delivery, StopReason
from zypher.worker.attempt import Attempt, Attempts
from zypher.worker.protocol import Stopped
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)

_WAIT_S = 60.0


class Stops:
    """An attempt that runs is stopped in its replica, and ends like any other; one that waits for a slot gets none.

    If its lease is lost, another worker may have the prediction: nothing more becomes of the attempt here.
    """

    def __init__(self, engine: Deliveries, attempts: Attempts, slots: Slots) -> None:
        self._engine = engine
        self._attempts = attempts
        self._slots = slots

    async def step(self) -> None:
        """Wait for stops, and pass them on. Raises `EngineUnavailable`."""
        stops = await self._engine.stops(_WAIT_S)
        for attempt, reason in self._attempts.of(stops) if stops else ():
            if attempt.ending is None:
                self.stop(attempt, reason)

    def stop(self, attempt: Attempt, reason: StopReason) -> None:
        """Stop one that has not ended."""
        was_asked = attempt.stop is not None
        attempt.stop = reason
        if reason is StopReason.LEASE_LOST:
            _warn_of_lost(attempt.delivery)
        replica = self._slots.drop(attempt)
        if replica is None and reason is StopReason.LEASE_LOST:
            self._attempts.discard(attempt)
        elif replica is None:
            self._slots.refuse(attempt, Stopped(attempt.number, begun=False, run_s=0.0))
        elif not was_asked:  # a second one would interrupt how the model ends it
            replica.stop(attempt, reason)
            replica.ping()  # one that answers neither is silent, see `limits`


def _warn_of_lost(delivery: Delivery) -> None:
    about = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
    logger.warning("lease lost: the attempt is stopped, another one's outcome will count", extra=about)
