"""One attempt: from a delivery to its outcome."""

import logging

from zypher.prediction import Delivery, Failure, Outcome, Status
from zypher.telemetry.metrics import Metrics
from zypher.worker.messages import Failed, Succeeded
from zypher.worker.replica import Ending, Lost
from zypher.worker.retry import Retry, after_loss, runs_alone
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)


class Executor:
    """Runs attempts in the replicas that have a free slot."""

    def __init__(self, slots: Slots, max_attempts: int, metrics: Metrics) -> None:
        self._slots = slots
        self._max_attempts = max_attempts
        self._metrics = metrics

    async def execute(self, delivery: Delivery) -> Outcome | Retry:
        """Make the attempt; whatever the model does, this tells how it ended."""
        if delivery.attempt > self._max_attempts:
            return self._lost(delivery, Lost("ended, or was silent for longer than a lease"))
        ending = await self._run(delivery)
        if isinstance(ending, Succeeded):
            return Outcome(Status.SUCCEEDED, output=ending.output, run_s=ending.run_s)
        if isinstance(ending, Failed):
            return self._failed(delivery, ending)
        if not ending.begun:
            return Retry(counted=False)
        return self._lost(delivery, ending)

    async def _run(self, delivery: Delivery) -> Ending:
        replica = await self._slots.take(alone=runs_alone(delivery.attempt, self._max_attempts))
        if replica is None:
            return Lost("had ended", begun=False)
        try:
            return await replica.run(delivery)
        finally:
            self._slots.free(replica)

    def _failed(self, delivery: Delivery, failed: Failed) -> Outcome:
        details = {"details": failed.details} if failed.details else {}
        logger.warning("prediction failed", extra=_about(delivery, reason=failed.message, **details))
        return Outcome(Status.FAILED, failure=Failure(failed.kind, failed.message), run_s=failed.run_s)

    def _lost(self, delivery: Delivery, lost: Lost) -> Outcome | Retry:
        self._metrics.attempt_lost(delivery.message.model)
        decision = after_loss(lost.cause, delivery.attempt, self._max_attempts)
        what = "attempt lost" if isinstance(decision, Retry) else "prediction failed"
        logger.warning(what, extra=_about(delivery, reason=f"its replica {lost.cause}"))
        return decision


def _about(delivery: Delivery, **more: str) -> dict[str, object]:
    return {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt, **more}
