"""The predictions that ended last, in memory."""

from collections import OrderedDict
from typing import NamedTuple

from zypher.engines.embedded.engine_clock import Moment
from zypher.engines.event_log import EventLog
from zypher.prediction import Prediction

_MOST = 4_096
_MOST_BYTES = 4 * 1024 * 1024


class Ended(NamedTuple):
    """One of them."""

    prediction: Prediction
    ended: Moment
    events: EventLog | None  # of one that was in memory only
    size_bytes: int


class Recent:
    """Bounded in number and in bytes of outputs and events; the newest one always fits.

    It saves a read of the journal soon after an end. Of predictions that are in memory only it keeps those that
    ended without a waiter, for a caller who is about to promote them.
    """

    def __init__(self) -> None:
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._bytes = 0

    def __contains__(self, prediction_id: str) -> bool:
        return prediction_id in self._ended

    def get(self, prediction_id: str) -> Ended | None:
        return self._ended.get(prediction_id)

    def events(self, prediction_id: str) -> EventLog | None:
        """Those of a prediction that was in memory only; None without any."""
        ended = self._ended.get(prediction_id)
        return None if ended is None else ended.events

    def keep(self, prediction: Prediction, ended: Moment, events: EventLog | None = None) -> None:
        self.forget(prediction.prediction_id)
        size_bytes = _size_bytes(prediction, events)
        self._ended[prediction.prediction_id] = Ended(prediction, ended, events, size_bytes)
        self._bytes += size_bytes
        while len(self._ended) > _MOST or (self._bytes > _MOST_BYTES and len(self._ended) > 1):
            _, oldest = self._ended.popitem(last=False)
            self._bytes -= oldest.size_bytes

    def forget(self, prediction_id: str) -> None:
        ended = self._ended.pop(prediction_id, None)
        if ended is not None:
            self._bytes -= ended.size_bytes


def _size_bytes(prediction: Prediction, events: EventLog | None) -> int:
    outcome = prediction.outcome
    output_bytes = 0 if outcome is None or outcome.output is None else len(outcome.output)
    return output_bytes + (events.size_bytes if events else 0)
