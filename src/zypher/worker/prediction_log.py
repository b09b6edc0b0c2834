"""What the log says of each prediction that ends; of inputs and outputs nothing, unless asked."""

import logging
from datetime import datetime

from zypher.clock import Clock
from zypher.prediction import Delivery, Outcome
from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.logs import chosen_format, is_ours, write_lines
from zypher.worker.attempt import Ending, Lost
from zypher.worker.protocol import Failed

logger = logging.getLogger(__name__)


class PredictionLog:
    """A line for each end."""

    def __init__(self, log: LogSettings, clock: Clock) -> None:
        self._values = log.values
        self._line = _json_line if chosen_format(log) is LogFormat.JSON else _human_line
        self._clock = clock

    def settled(self, delivery: Delivery, outcome: Outcome, *, counts: bool) -> None:
        """A prediction has ended; or, if it does not count, an attempt whose lease was lost before."""
        if not counts:
            about = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
            logger.warning("lease lost: this attempt's outcome does not count, another attempt's will", extra=about)
            return
        if not logger.isEnabledFor(logging.INFO):
            return
        now = self._clock.now()
        waited_s = max(0.0, (now - delivery.message.submitted_at).total_seconds() - outcome.run_s)
        if is_ours() and not self._values:
            write_lines(self._line(now, delivery, outcome, waited_s))
        else:
            logger.info("prediction ended", extra=self._named(delivery, outcome, waited_s))

    def _named(self, delivery: Delivery, outcome: Outcome, waited_s: float) -> dict[str, object]:
        """The fields by the names that they have in the log."""
        record: dict[str, object] = {
            "prediction_id": delivery.message.prediction_id,
            "attempt": delivery.attempt,
            "status": outcome.status.value,
            "waited_s": round(waited_s, 6),
            "run_s": round(outcome.run_s, 6),
        }
        if self._values:
            record["input"] = delivery.message.input.decode()
            record["output"] = None if outcome.output is None else outcome.output.decode()
        return record


def _json_line(now: datetime, delivery: Delivery, outcome: Outcome, waited_s: float) -> str:
    # A record of `logging` would cost several times as much.
    return (
        f'{{"ts": "{now.isoformat(timespec="milliseconds")}", "level": "info", "message": "prediction ended", '
        f'"logger": "{__name__}", "prediction_id": "{delivery.message.prediction_id}", "attempt": {delivery.attempt}, '
        f'"status": "{outcome.status.value}", "waited_s": {waited_s:.6f}, "run_s": {outcome.run_s:.6f}}}\n'
    )


def _human_line(now: datetime, delivery: Delivery, outcome: Outcome, waited_s: float) -> str:
    return (
        f"{now.astimezone().strftime('%H:%M:%S')} INFO    prediction ended "
        f"prediction_id={delivery.message.prediction_id} attempt={delivery.attempt} status={outcome.status.value} "
        f"waited_s={waited_s:.6f} run_s={outcome.run_s:.6f}\n"
    )


def warn_of(delivery: Delivery, ending: Ending, *, is_last: bool) -> None:
    """A warning about an attempt that went wrong; `is_last` says that the prediction ends with it."""
    about: dict[str, object] = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
    if isinstance(ending, Lost) and ending.begun:
        what = "prediction failed" if is_last else "attempt lost"
        logger.warning(what, extra={**about, "reason": f"its replica {ending.cause}"})
    elif isinstance(ending, Failed):
        details = {"details": ending.details} if ending.details else {}
        logger.warning("prediction failed", extra={**about, "reason": ending.message, **details})
