"""The predictions that ended last, in memory."""

from collections import OrderedDict

from zypher.prediction import Prediction

_MOST = 4_096
_MOST_BYTES = 4 * 1024 * 1024


class Recent:
    """Bounded in number and in bytes of output; the newest one always fits.

    It saves a read of the journal soon after an end. Of predictions that are in memory only it keeps those that
    ended without a waiter, for a caller who is about to promote them.
    """

    def __init__(self) -> None:
        self._predictions: OrderedDict[str, Prediction] = OrderedDict()
        self._bytes = 0

    def __contains__(self, prediction_id: str) -> bool:
        return prediction_id in self._predictions

    def get(self, prediction_id: str) -> Prediction | None:
        return self._predictions.get(prediction_id)

    def keep(self, prediction: Prediction) -> None:
        self.forget(prediction.prediction_id)
        self._predictions[prediction.prediction_id] = prediction
        self._bytes += _output_bytes(prediction)
        while len(self._predictions) > _MOST or (self._bytes > _MOST_BYTES and len(self._predictions) > 1):
            _, oldest = self._predictions.popitem(last=False)
            self._bytes -= _output_bytes(oldest)

    def forget(self, prediction_id: str) -> None:
        prediction = self._predictions.pop(prediction_id, None)
        if prediction is not None:
            self._bytes -= _output_bytes(prediction)


def _output_bytes(prediction: Prediction) -> int:
    outcome = prediction.outcome
    return 0 if outcome is None or outcome.output is None else len(outcome.output)
