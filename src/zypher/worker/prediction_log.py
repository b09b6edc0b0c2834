"""What the log says of each prediction that ends; of inputs and outputs nothing, unless asked."""

import logging

from zypher.prediction import Delivery, Outcome
from zypher.settings import LogFormat, LogSettings
from zypher.worker.attempt import Ending, Lost
from zypher.worker.protocol import Failed

logger = logging.getLogger(__name__)


class PredictionLog:
    """A line for each end: at level info for people and for who asks for values, too; at level debug for machines."""

    def __init__(self, log: LogSettings) -> None:
        self._values = log.values
        self._level = logging.INFO if log.values or log.format is LogFormat.HUMAN else logging.DEBUG

    def settled(self, delivery: Delivery, outcome: Outcome, *, counts: bool) -> None:
        """A prediction has ended; or, if it does not count, an attempt whose lease was lost before."""
        if not counts:
            about = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
            logger.warning("lease lost: this attempt's outcome does not count, another attempt's will", extra=about)
            return
        if not logger.isEnabledFor(self._level):
            return
        record: dict[str, object] = {
            "prediction_id": delivery.message.prediction_id,
            "attempt": delivery.attempt,
            "status": outcome.status.value,
            "run_s": round(outcome.run_s, 6),
        }
        if self._values:
            record["input"] = delivery.message.input.decode()
            record["output"] = None if outcome.output is None else outcome.output.decode()
        logger.log(self._level, "prediction ended", extra=record)


def warn_of(delivery: Delivery, ending: Ending, *, is_last: bool) -> None:
    """A warning about an attempt that went wrong; `is_last` says that the prediction ends with it."""
    about: dict[str, object] = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
    if isinstance(ending, Lost) and ending.begun:
        what = "prediction failed" if is_last else "attempt lost"
        logger.warning(what, extra={**about, "reason": f"its replica {ending.cause}"})
    elif isinstance(ending, Failed):
        details = {"details": ending.details} if ending.details else {}
        logger.warning("prediction failed", extra={**about, "reason": ending.message, **details})
