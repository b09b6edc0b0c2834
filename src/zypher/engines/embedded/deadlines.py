"""Ends what is still queued at its deadline."""

import heapq

from zypher.clock import Clock
from zypher.engines.embedded.ending import Ending
from zypher.engines.embedded.memory.alarm import Alarm
from zypher.engines.embedded.memory.entry import Entry
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.prediction import Outcome, Status

_EXPIRED = Outcome(Status.EXPIRED)
_FEWEST_ENDED = 1_000  # ended predictions in the heap before it is made anew


class Deadlines:
    """One timer for the earliest; a prediction that ended before its deadline is passed over."""

    def __init__(self, clock: Clock, predictions: Predictions, ending: Ending) -> None:
        self._clock = clock
        self._predictions = predictions
        self._ending = ending
        self._due: list[tuple[float, str]] = []  # a heap by the reading at which each is due
        self._most = _FEWEST_ENDED
        self._alarm = Alarm(clock, self.expire_due)

    def __len__(self) -> int:
        """How many it remembers, some that ended included."""
        return len(self._due)

    def add(self, entry: Entry) -> None:
        """Let a queued entry expire at its deadline, if it has one."""
        if entry.options.deadline is not None and not self.expire_late(entry):
            due_s = self._clock.monotonic() + self._left_s(entry)
            heapq.heappush(self._due, (due_s, entry.prediction_id))
            self._alarm.set(due_s)
            if len(self._due) > self._most:
                self._drop_ended()

    def expire_due(self) -> None:
        """End those that are queued now and should have begun."""
        now_s = self._clock.monotonic()
        while self._due:
            due_s, prediction_id = self._due[0]
            if due_s > now_s:
                self._alarm.set(due_s)
                return
            heapq.heappop(self._due)
            entry = self._predictions.entries.get(prediction_id)
            if entry is not None and entry.queued:
                self.expire_late(entry)

    def expire_late(self, entry: Entry) -> bool:
        """End a queued entry if its deadline is over, and whether it is."""
        if entry.options.deadline is None or self._left_s(entry) > 0:
            return False
        self._ending.end_queued(entry, _EXPIRED)
        return True

    def stop(self) -> None:
        self._alarm.stop()

    def _left_s(self, entry: Entry) -> float:
        assert entry.options.deadline is not None
        return (entry.options.deadline - self._clock.now()).total_seconds()

    def _drop_ended(self) -> None:
        self._due = [each for each in self._due if each[1] in self._predictions.entries]
        heapq.heapify(self._due)
        self._most = 2 * len(self._due) + _FEWEST_ENDED
