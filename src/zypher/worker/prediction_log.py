"""What the log says of each prediction that ends; of inputs and outputs nothing, unless asked."""

import logging

from zypher.prediction import Delivery, Outcome
from zypher.settings import LogFormat, LogSettings

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
        said: dict[str, object] = {
            "prediction_id": delivery.message.prediction_id,
            "attempt": delivery.attempt,
            "status": outcome.status.value,
            "run_s": round(outcome.run_s, 6),
        }
        if self._values:
            said["input"] = delivery.message.input.decode()
            said["output"] = None if outcome.output is None else outcome.output.decode()
        logger.log(self._level, "prediction ended", extra=said)
