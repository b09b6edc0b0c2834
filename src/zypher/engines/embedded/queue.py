"""The predictions of one model that wait, in memory: which is next, how many there are."""

import asyncio
import heapq
from collections import deque
from datetime import datetime
from itertools import chain, islice

from zypher.engines.embedded.entry import Entry, Stage
from zypher.prediction import Message

HOT_MESSAGES = 1_000  # so many waiting messages stay in memory though they are on disk
HOT_INPUT_BYTES = 4_096  # and only those whose input is not longer than this
_FEWEST_GONE = 1_000  # entries that left out of turn before the order is written anew


class Queue:
    """Order of acceptance, kept through every return.

    An entry that leaves out of turn stays in the order until it comes up or too many have gone: each
    operation costs the same however many wait.
    """

    def __init__(self) -> None:
        self.queued = 0  # waiting, delayed ones and those whose record is being written included
        self.running = 0
        self.run_s: float | None = None  # moving average
        self.receivers: deque[asyncio.Future[bool]] = deque()  # who waits for an entry to become ready
        self._fresh: deque[Entry] = deque()  # never received
        self._returned: list[tuple[int, Entry]] = []  # a heap of those that came back
        self._numbers = 0
        self._hot = 0  # messages of entries on disk that are in memory
        self._gone = 0  # entries in `_fresh` that left out of turn, at most

    def join(self, entry: Entry, message: Message | None) -> None:
        """Let a new entry wait behind all others; its message stays if there is room or no disk has it."""
        self._numbers += 1
        entry.number = self._numbers
        entry.stage = Stage.READY
        if message is not None:
            self.keep_message(entry, message)
        self._fresh.append(entry)
        self.wake()

    def keep_message(self, entry: Entry, message: Message) -> None:
        """Hold the message in memory, if it has to be there or there is room."""
        if entry.row:
            if self._hot >= HOT_MESSAGES or len(message.input) > HOT_INPUT_BYTES:
                return
            self._hot += 1
        entry.message = message

    def put_back(self, entry: Entry) -> None:
        """Let an entry that had left wait again in its old place."""
        entry.stage = Stage.READY
        heapq.heappush(self._returned, (entry.number, entry))
        self.wake()

    def take(self, limit: int) -> list[Entry]:
        """Up to `limit` entries, the oldest first, whose messages are in memory; none is passed over."""
        taken: list[Entry] = []
        while len(taken) < limit:
            entry = self.first()
            if entry is None or entry.message is None:
                break
            if self._returned and self._returned[0][1] is entry:
                heapq.heappop(self._returned)
            else:
                self._fresh.popleft()
            if entry.row:
                self._hot -= 1
            taken.append(entry)
            entry.stage = Stage.RUNNING
        self.queued -= len(taken)
        self.running += len(taken)
        return taken

    def first(self) -> Entry | None:
        """The entry that is to be received next."""
        fresh, returned = self._fresh, self._returned
        while fresh and fresh[0].stage is not Stage.READY:
            fresh.popleft()
            self._gone -= 1
        while returned and returned[0][1].stage is not Stage.READY:
            heapq.heappop(returned)
        if returned and (not fresh or returned[0][0] < fresh[0].number):
            return returned[0][1]
        return fresh[0] if fresh else None

    def leave(self, entry: Entry) -> None:
        """Take a queued entry out of turn: it ends."""
        entry.stage = Stage.ENDING
        if entry.row and entry.message is not None:
            self._hot -= 1
            entry.message = None
        self._gone += 1
        if self._gone > max(_FEWEST_GONE, len(self._fresh) // 2):
            self._fresh = deque(entry for entry in self._fresh if entry.stage is Stage.READY)
            self._gone = 0

    def cold(self, limit: int) -> list[Entry]:
        """Those of the next `limit` entries whose messages are on disk only."""
        upcoming = islice(chain((entry for _, entry in self._returned), self._fresh), limit)
        return [entry for entry in upcoming if entry.stage is Stage.READY and entry.message is None]

    def position(self, entry: Entry) -> int:
        """About how many entries will be received until this one is; 1 means it is next.

        Counts numbers, not entries, so one that left out of turn may still be counted.
        """
        ahead = len(self._returned) if self._fresh and entry.number >= self._fresh[0].number else 0
        first = self._fresh[0].number if ahead or not self._returned else self._returned[0][0]
        return max(1, min(self.queued, ahead + entry.number - first + 1))

    def oldest_queued_at(self) -> datetime | None:
        entry = self.first()
        return None if entry is None else entry.submitted_at

    def observe(self, run_s: float) -> None:
        """Take a run time into the moving average."""
        if run_s > 0:
            self.run_s = run_s if self.run_s is None else 0.9 * self.run_s + 0.1 * run_s

    def wake(self) -> None:
        """Tell one receiver to look again."""
        while self.receivers:
            receiver = self.receivers.popleft()
            if not receiver.done():
                receiver.set_result(True)
                return
