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


class Deadlines:
    """One timer for the earliest; a prediction that ended before its deadline is passed over.

    The date counts once, when a prediction is accepted or found at the start; from there on time is monotonic.
    """

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
        deadline = entry.options.deadline
        if deadline is None:
            return
        # A date that was set back leaves no more time than there was at the acceptance.
        left = min(deadline - self._clock.now(), deadline - entry.submitted_at)
        entry.expires_s = self._clock.monotonic() + left.total_seconds()
        if not self.expire_late(entry):
            heapq.heappush(self._due, (entry.expires_s, entry.prediction_id))
            self._alarm.set(entry.expires_s)
            if len(self._due) > self._most:
                self._drop_ended()

    def expire_due(self) -> None:
        """End those that are queued now and should have begun."""
        if not self._due:
            return
        now_s = self._clock.monotonic()
        ending: list[tuple[float, str]] = []
        while self._due and self._due[0][0] <= now_s:
            due = heapq.heappop(self._due)
            entry = self._predictions.entries.get(due[1])
            if entry is None or entry.expires_s is None:  # ended, and perhaps replayed
                continue
            if entry.stage is Stage.ENDING:
                ending.append(due)
            elif entry.queued:
                self.expire_late(entry)
        self._look_again(ending, now_s)

    def expire_late(self, entry: Entry) -> bool:
        """End a queued entry if its deadline is over, and whether it is."""
        if entry.expires_s is None or self._clock.monotonic() < entry.expires_s:
            return False
        self._ending.end_queued(entry, _EXPIRED)
        return True

    def stop(self) -> None:
        self._alarm.stop()

    def _look_again(self, ending: Sequence[tuple[float, str]], now_s: float) -> None:
        """Look at the next ones when they are due, and in a moment at those whose cancel may not be stored yet."""
        if self._due:
            self._alarm.set(self._due[0][0])
        for due in ending:
            heapq.heappush(self._due, due)
            self._alarm.set(now_s + _AGAIN_S)

    def _drop_ended(self) -> None:
        self._due = [each for each in self._due if each[1] in self._predictions.entries]
        heapq.heapify(self._due)
        self._most = 2 * len(self._due) + _FEWEST_ENDED
