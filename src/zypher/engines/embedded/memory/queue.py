"""The predictions of one model that wait, in memory: which is next, how many there are."""

import asyncio
import heapq
from collections import deque
from datetime import datetime
from itertools import chain, islice

from zypher.engines.embedded.journal import resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.errors import EngineUnavailable
from zypher.prediction import Message

HOT_MESSAGES = 1_000  # so many waiting messages stay in memory though the journal has them
HOT_INPUT_BYTES = 4_096  # and only those whose input is not longer than this
_FEWEST_LEFT = 1_000  # entries that left out of turn before the order is rebuilt


class Queue:
    """Order of acceptance, kept through every return.

    An entry that leaves out of turn stays in the order until it is first or too many have left: each
    operation costs the same however many wait.
    """

    def __init__(self) -> None:
        self.queued = 0  # waiting, delayed ones and those whose record is being written included
        self.running = 0
        self.held_bytes = 0  # of the entries that count as queued
        self.run_s: float | None = None  # moving average
        self.receivers: deque[asyncio.Future[bool]] = deque()  # receivers that wait for a ready entry
        self.reading_ahead = False  # whether messages are being read from the journal
        self._fresh: deque[Entry] = deque()  # never received
        self._returned: list[tuple[int, Entry]] = []  # a heap of those that were returned
        self._numbers = 0
        self._hot = 0  # queued entries of the journal whose message is in memory, too
        self._left = 0  # how many entries left out of turn since the order was last rebuilt

    def enter(self, entry: Entry, message: Message) -> None:
        """Count a new entry as queued, and its input as held; it waits for `join`."""
        self.queued += 1
        entry.held_bytes = len(message.input)
        self.held_bytes += entry.held_bytes

    def stop_holding(self, entry: Entry) -> None:
        """Count the input of a queued entry as held no longer."""
        self.held_bytes -= entry.held_bytes
        entry.held_bytes = 0

    def join(self, entry: Entry) -> None:
        """Let an entry, counted as queued already, wait behind all others."""
        self._numbers += 1
        entry.number = self._numbers
        entry.stage = Stage.READY
        self._fresh.append(entry)
        if self.receivers:
            self.wake()

    def keep(self, entry: Entry, message: Message) -> None:
        """Hold the message of an entry of the journal in memory, too, if it is small and there is room."""
        if self._hot < HOT_MESSAGES and len(message.input) <= HOT_INPUT_BYTES:
            self.hold(entry, message)

    def hold(self, entry: Entry, message: Message) -> None:
        """Hold the message of an entry of the journal in memory, too."""
        entry.message = message
        self._hot += 1

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
            entry.stage = Stage.RUNNING
            self.held_bytes -= entry.held_bytes
            taken.append(entry)
        self.queued -= len(taken)
        self.running += len(taken)
        return taken

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

    def give_back(self, entry: Entry) -> None:
        """Count a running entry as queued again; it waits for `put_back`."""
        self.running -= 1
        self.queued += 1
        self.held_bytes += entry.held_bytes
        entry.stage = Stage.DELAYED
        if entry.row and entry.message is not None:
            self._hot += 1

    def put_back(self, entry: Entry) -> None:
        """Let an entry that is queued but out of order wait in its old place."""
        entry.stage = Stage.READY
        heapq.heappush(self._returned, (entry.number, entry))
        self.wake()

    def leave(self, entry: Entry) -> None:
        """Take a queued entry out of turn: it ends."""
        self.queued -= 1
        self.held_bytes -= entry.held_bytes
        if entry.row and entry.message is not None:
            self._hot -= 1
        entry.stage = Stage.ENDING
        self._left += 1
        if self._left > max(_FEWEST_LEFT, len(self._fresh) // 2):
            self._left = 0
            self._fresh = deque(entry for entry in self._fresh if entry.stage is Stage.READY)

    def undo_leave(self, entry: Entry) -> None:
        """Queue an entry again whose end could not be stored."""
        self.queued += 1
        self.held_bytes += entry.held_bytes
        if entry.row and entry.message is not None:
            self._hot += 1
        self.put_back(entry)

    def set_row(self, entry: Entry, row: int) -> None:
        """Note that an entry is being written to the journal, or with 0 that it could not be."""
        if entry.queued and entry.message is not None:
            self._hot += (row != 0) - (entry.row != 0)
        entry.row = row

    def cold(self, limit: int) -> list[Entry]:
        """Those of the next `limit` entries whose messages are in the journal only."""
        upcoming = islice(chain((entry for _, entry in self._returned), self._fresh), limit)
        return [entry for entry in upcoming if entry.stage is Stage.READY and entry.message is None]

    def position(self, entry: Entry) -> int:
        """About how many entries are received until this one is; 1 is next.

        Estimated from numbers, so one that left out of turn may still be counted.
        """
        fresh = self._fresh
        ahead = len(self._returned) + entry.number - fresh[0].number if fresh else 0
        if entry is self.first() or not fresh or entry.number < fresh[0].number:
            ahead = 0
        return max(1, min(self.queued, ahead + 1))

    def oldest_queued_at(self) -> datetime | None:
        entry = self.first()
        return None if entry is None else entry.submitted_at

    def observe(self, run_s: float) -> None:
        """Take a run time into the moving average."""
        if run_s > 0:
            self.run_s = run_s if self.run_s is None else 0.9 * self.run_s + 0.1 * run_s

    def fail_receivers(self, error: str) -> None:
        """Raise `EngineUnavailable` from every wait for an entry."""
        while self.receivers:
            resolve(self.receivers.popleft(), EngineUnavailable(error))

    def wake_all(self) -> None:
        """Wake every receiver: messages were read, and each may wait for those."""
        receivers, self.receivers = self.receivers, deque()
        for receiver in receivers:
            resolve(receiver, True)

    def wake(self) -> None:
        """Wake one receiver, which looks for a ready entry."""
        while self.receivers:
            receiver = self.receivers.popleft()
            if not receiver.done():
                receiver.set_result(True)
                return
