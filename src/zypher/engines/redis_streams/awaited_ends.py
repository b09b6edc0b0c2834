"""The ends of predictions that this process waits for or is notified of."""

from contextlib import AbstractContextManager
from itertools import islice

from zypher.clock import Clock
from zypher.engines.redis_streams.keys import to_text
from zypher.engines.waiters import Waiter, Waiters
from zypher.prediction import Prediction

MOST_SUBMITTED = 10_000  # the oldest is read from Redis like any other


class AwaitedEnds:
    """Waiters by prediction id, and what was submitted here with a notification of its end.

    Until that notification nothing need be read from Redis. It may be lost, so a waiter also reads after each sweep.
    """

    def __init__(self, clock: Clock) -> None:
        self._waiters = Waiters[bytes](clock)
        self._submitted: dict[str, Prediction | None] = {}  # None until it is accepted

    def expect(self, prediction_id: str) -> None:
        """Note a submission, before its end can be published."""
        self._submitted[prediction_id] = None
        for oldest in list(islice(self._submitted, max(0, len(self._submitted) - MOST_SUBMITTED))):
            del self._submitted[oldest]

    def accept(self, prediction: Prediction) -> None:
        """Keep what an expected submission returned, unless its end was published meanwhile."""
        if prediction.prediction_id in self._submitted:
            self._submitted[prediction.prediction_id] = prediction

    def take(self, prediction_id: str) -> Prediction | None:
        """What was accepted here and has not ended, once; None: read it from Redis."""
        return self._submitted.pop(prediction_id, None)

    def waiting(self, prediction_id: str) -> AbstractContextManager[Waiter[bytes]]:
        """A waiter for the end of this prediction; its value is the published result, if that is short."""
        return self._waiters.waiting(prediction_id)

    def wake(self, content: bytes) -> None:
        """Wake by what lua/parts/ending.lua published: the id, and a short result behind a zero byte."""
        prediction, _, result = content.partition(b"\0")
        prediction_id = to_text(prediction)
        self._submitted.pop(prediction_id, None)
        self._waiters.wake(prediction_id, result or None)

    def wake_all(self) -> None:
        self._waiters.wake_all()
