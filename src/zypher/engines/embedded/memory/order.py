"""The order of one lane, in memory."""

import heapq
from collections import deque
from itertools import chain, islice

from zypher.engines.embedded.memory.entry import Entry, Stage

_FEWEST_LEFT = 1_000  # entries that left out of turn before the order is rebuilt


class Order:
    """Order of acceptance, kept through every return.

    An entry that leaves out of turn stays in the order until it is first or too many have left: each
    operation costs the same however many wait.
    """

    def __init__(self) -> None:
        self.queued = 0  # counted by its queue
        self._fresh: deque[Entry] = deque()  # never received
        self._returned: list[tuple[int, Entry]] = []  # a heap of those that were returned
        self._numbers = 0
        self._left = 0  # how many entries left out of turn since the order was last rebuilt

    def join(self, entry: Entry) -> None:
        """Let an entry, counted as queued already, wait behind all others."""
        self._numbers += 1
        entry.number = self._numbers
        entry.stage = Stage.READY
        self._fresh.append(entry)

    def put_back(self, entry: Entry) -> None:
        """Let an entry that is queued but out of order wait in its old place."""
        entry.stage = Stage.READY
        heapq.heappush(self._returned, (entry.number, entry))

    def leave(self, entry: Entry) -> None:
        """Take an entry, counted as queued no more, out of turn: it ends."""
        entry.stage = Stage.ENDING
        self._left += 1
        if self._left > max(_FEWEST_LEFT, len(self._fresh) // 2):
            self._left = 0
            self._fresh = deque(entry for entry in self._fresh if entry.stage is Stage.READY)

    def first(self) -> Entry | None:
        """The entry that is to be received next."""
        fresh, returned = self._fresh, self._returned
        while fresh and fresh[0].stage is not Stage.READY:
            fresh.popleft()
        while returned and returned[0][1].stage is not Stage.READY:
            heapq.heappop(returned)
        if returned and (not fresh or returned[0][0] < fresh[0].number):
            return returned[0][1]
        return fresh[0] if fresh else None

    def pop(self, entry: Entry) -> None:
        """Take out the entry that is first."""
        if self._returned and self._returned[0][1] is entry:
            heapq.heappop(self._returned)
        else:
            self._fresh.popleft()
        self.queued -= 1
        entry.stage = Stage.RUNNING

    def cold(self, limit: int) -> list[Entry]:
        """Those of the next `limit` entries whose messages are in the journal only."""
        upcoming = islice(chain((entry for _, entry in self._returned), self._fresh), limit)
        return [entry for entry in upcoming if entry.stage is Stage.READY and entry.message is None]

    def ahead_of(self, entry: Entry) -> int:
        """About how many entries are received before this one.

        Estimated from numbers, so one that left out of turn may still be counted.
        """
        first, fresh = self.first(), self._fresh
        if entry is first or not fresh or entry.number < fresh[0].number:
            return 0
        return max(0, min(self.queued - 1, len(self._returned) + entry.number - fresh[0].number))
