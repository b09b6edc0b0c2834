"""Ends what is still queued at its deadline."""

import heapq
from collections.abc import Sequence

from zypher.clock import Clock
from zypher.engines.embedded.ending import Ending
from zypher.engines.embedded.memory.alarm import Alarm
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.prediction import Outcome, Status

_EXPIRED = Outcome(Status.EXPIRED)
_FEWEST_ENDED = 1_000  # ended predictions in the heap before it is made anew
_AGAIN_S = 1.0  # until one is looked at again that may be queued after all
_DRIFT_S = 0.5  # what two clocks may differ by before the date counts as set


class Deadlines:
    """One timer for the earliest; a prediction that ended before its deadline is passed over.

    The date may be set meanwhile: deadlines are instants, and the timer is not.
    """

    def __init__(self, clock: Clock, predictions: Predictions, ending: Ending) -> None:
        self._clock = clock
        self._predictions = predictions
        self._ending = ending
        self._due: list[tuple[float, str]] = []  # a heap by the reading at which each is due
        self._most = _FEWEST_ENDED
        self._ahead_s = self._date_ahead_s()
        self._alarm = Alarm(clock, self.expire_due)

    def __len__(self) -> int:
        """How many it remembers, some that ended included."""
        return len(self._due)

    def add(self, entry: Entry) -> None:
        """Let a queued entry expire at its deadline, if it has one."""
        if entry.options.deadline is not None and not self.expire_late(entry):
            self._push(entry)
            if len(self._due) > self._most:
                self._drop_ended()

    def expire_due(self) -> None:
        """End those that are queued now and should have begun."""
        if not self._due:
            return
        self._follow_date()
        now_s = self._clock.monotonic()
        ending: list[tuple[float, str]] = []
        while self._due and self._due[0][0] <= now_s:
            due = heapq.heappop(self._due)
            entry = self._predictions.entries.get(due[1])
            if entry is None or entry.options.deadline is None:  # ended, and perhaps replayed
                continue
            if entry.stage is Stage.ENDING:
                ending.append(due)
            elif entry.queued and not self.expire_late(entry):
                self._push(entry)
        self._look_again(ending, now_s)

    def expire_late(self, entry: Entry) -> bool:
        """End a queued entry if its deadline is over, and whether it is."""
        if entry.options.deadline is None or self._left_s(entry) > 0:
            return False
        self._ending.end_queued(entry, _EXPIRED)
        return True

    def stop(self) -> None:
        self._alarm.stop()

    def _push(self, entry: Entry) -> None:
        due_s = self._clock.monotonic() + self._left_s(entry)
        heapq.heappush(self._due, (due_s, entry.prediction_id))
        self._alarm.set(due_s)

    def _look_again(self, ending: Sequence[tuple[float, str]], now_s: float) -> None:
        """Look at the next ones when they are due, and in a moment at those whose cancel may not be stored yet."""
        if self._due:
            self._alarm.set(self._due[0][0])
        for due in ending:
            heapq.heappush(self._due, due)
            self._alarm.set(now_s + _AGAIN_S)

    def _follow_date(self) -> None:
        """Find out anew when each is due, if the date was set."""
        ahead_s = self._date_ahead_s()
        if abs(ahead_s - self._ahead_s) < _DRIFT_S:
            return
        self._ahead_s = ahead_s
        waiting = [self._predictions.entries.get(prediction_id) for _, prediction_id in self._due]
        self._due.clear()
        for entry in waiting:
            if entry is not None and entry.options.deadline is not None:
                self._push(entry)

    def _date_ahead_s(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _left_s(self, entry: Entry) -> float:
        assert entry.options.deadline is not None
        return (entry.options.deadline - self._clock.now()).total_seconds()

    def _drop_ended(self) -> None:
        self._due = [each for each in self._due if each[1] in self._predictions.entries]
        heapq.heapify(self._due)
        self._most = 2 * len(self._due) + _FEWEST_ENDED
