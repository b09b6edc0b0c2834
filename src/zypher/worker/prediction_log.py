"""What the log says of each prediction that ends; of inputs and outputs nothing, unless asked."""

import logging
from collections.abc import Sequence
from datetime import datetime

from zypher.clock import Clock
from zypher.engines.contract import Settlement
from zypher.prediction import Delivery
from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.logs import chosen_format, is_ours, write_lines
from zypher.worker.attempt import Ending, Lost
from zypher.worker.protocol import Failed

logger = logging.getLogger(__name__)


class PredictionLog:
    """A line for each end."""

    def __init__(self, log: LogSettings, clock: Clock) -> None:
        self._values = log.values
        self._lines = _json_lines if chosen_format(log) is LogFormat.JSON else _human_lines
        self._clock = clock

    def settled(self, settlements: Sequence[Settlement], counted: Sequence[bool]) -> None:
        """These predictions have ended; of those that do not count, an attempt whose lease was lost before."""
        ended: list[Settlement] = []
        for settlement, counts in zip(settlements, counted, strict=True):
            if counts:
                ended.append(settlement)
            else:
                delivery = settlement.delivery
                about = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
                logger.warning("lease lost: this attempt's outcome does not count, another attempt's will", extra=about)
        if not logger.isEnabledFor(logging.INFO):
            return
        now = self._clock.now()
        if is_ours() and not self._values:
            # One write for all, and no record of `logging` for each, which would cost several times as much.
            write_lines(self._lines(now, ended))
        else:
            for settlement in ended:
                logger.info("prediction ended", extra=self._named(now, settlement))

    def _named(self, now: datetime, settlement: Settlement) -> dict[str, object]:
        """The fields by the names that they have in the log."""
        delivery, outcome = settlement.delivery, settlement.outcome
        record: dict[str, object] = {
            "prediction_id": delivery.message.prediction_id,
            "attempt": delivery.attempt,
            "status": outcome.status.value,
            "waited_s": round(_waited_s(now, settlement), 6),
            "run_s": round(outcome.run_s, 6),
        }
        if self._values:
            record["input"] = delivery.message.input.decode()
            record["output"] = None if outcome.output is None else outcome.output.decode()
        return record


def _waited_s(now: datetime, settlement: Settlement) -> float:
    """Since it was submitted, without this run."""
    since_s = (now - settlement.delivery.message.submitted_at).total_seconds()
    return max(0.0, since_s - settlement.outcome.run_s)


def _json_lines(now: datetime, ended: Sequence[Settlement]) -> str:
    head = (
        f'{{"ts": "{now.isoformat(timespec="milliseconds")}", "level": "info", "message": "prediction ended", '
        f'"logger": "{__name__}", "prediction_id": "'
    )
    return "".join([
        f'{head}{each.delivery.message.prediction_id}", "attempt": {each.delivery.attempt}, "status": '
        f'"{each.outcome.status}", "waited_s": {_waited_s(now, each):.6f}, "run_s": {each.outcome.run_s:.6f}}}\n'
        for each in ended
    ])  # fmt: skip


def _human_lines(now: datetime, ended: Sequence[Settlement]) -> str:
    head = f"{now.astimezone().strftime('%H:%M:%S')} INFO    prediction ended prediction_id="
    return "".join([
        f"{head}{each.delivery.message.prediction_id} attempt={each.delivery.attempt} status={each.outcome.status} "
        f"waited_s={_waited_s(now, each):.6f} run_s={each.outcome.run_s:.6f}\n"
        for each in ended
    ])  # fmt: skip


def warn_of(delivery: Delivery, ending: Ending, *, is_last: bool) -> None:
    """A warning about an attempt that went wrong; `is_last` says that the prediction ends with it."""
    about: dict[str, object] = {"prediction_id": delivery.message.prediction_id, "attempt": delivery.attempt}
    if isinstance(ending, Lost) and ending.begun:
        what = "prediction failed" if is_last else "attempt lost"
        logger.warning(what, extra={**about, "reason": f"its replica {ending.cause}"})
    elif isinstance(ending, Failed):
        details = {"details": ending.details} if ending.details else {}
        logger.warning("prediction failed", extra={**about, "reason": ending.message, **details})
