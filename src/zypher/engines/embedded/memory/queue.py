"""The predictions of one model that wait, in memory: which are next, how many there are."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime

import msgspec

from zypher.engines.embedded.journal import resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.order import Order
from zypher.errors import EngineUnavailable
from zypher.prediction import PRIORITIES, Lane, Message

HOT_MESSAGES = 1_000  # so many waiting messages stay in memory though the journal has them
HOT_INPUT_BYTES = 4_096  # and only those whose input is not longer than this
_ABOVE = {lane: PRIORITIES[: PRIORITIES.index(lane)] for lane in PRIORITIES} | {Lane.WEBHOOKS: ()}


class Receiver(msgspec.Struct, frozen=True, eq=False):
    """One that waits for an entry of these lanes."""

    lanes: Sequence[Lane]
    woken: asyncio.Future[bool]  # False: its time is over


class Queue:
    """One order for each lane, and what they share."""

    def __init__(self) -> None:
        self.queued = 0  # waiting, delayed ones and those whose record is being written included
        self.running = 0
        self.held_bytes = 0  # of the entries that count as queued
        self.run_s: float | None = None  # moving average
        self.paused = False  # whether none is taken
        self.receivers: deque[Receiver] = deque()
        self.reading_ahead = False  # whether messages are being read from the journal
        self._orders: dict[Lane, Order] = {}
        self._hot = 0  # queued entries of the journal whose message is in memory, too

    def enter(self, entry: Entry, message: Message) -> None:
        """Count a new entry as queued, and its input as held; it waits for `join`."""
        self._count(entry, 1)
        entry.held_bytes = len(message.input)
        self.held_bytes += entry.held_bytes

    def accept(self, entry: Entry, message: Message) -> int:
        """Let a new entry that is in memory only wait behind all others of its lane; returns its position."""
        lane = entry.options.lane
        order = self._orders.get(lane) or self._order(lane)
        self.queued += 1
        order.queued += 1
        entry.message = message
        entry.held_bytes = len(message.input)
        self.held_bytes += entry.held_bytes
        order.join(entry)
        if self.receivers:
            self.wake(lane)
        return order.queued + (self._above(lane) if len(self._orders) > 1 else 0)

    def restore(self, entry: Entry) -> None:
        """Let an entry of the journal that is not counted yet wait behind all others."""
        self._count(entry, 1)
        self.join(entry)

    def refuse(self, entry: Entry) -> None:
        """Count an entry that has not joined as queued no more."""
        self.stop_holding(entry)
        self._count(entry, -1)

    def stop_holding(self, entry: Entry) -> None:
        """Count the input of a queued entry as held no longer."""
        self.held_bytes -= entry.held_bytes
        entry.held_bytes = 0

    def join(self, entry: Entry) -> None:
        """Let an entry, counted as queued already, wait behind all others of its lane."""
        lane = entry.options.lane
        self._order(lane).join(entry)
        if self.receivers:
            self.wake(lane)

    def keep(self, entry: Entry, message: Message) -> None:
        """Hold the message of an entry of the journal in memory, too, if it is small and there is room."""
        if self._hot < HOT_MESSAGES and len(message.input) <= HOT_INPUT_BYTES:
            self.hold(entry, message)

    def hold(self, entry: Entry, message: Message) -> None:
        """Hold the message of an entry of the journal in memory, too."""
        entry.message = message
        self._hot += 1

    def take(self, lanes: Sequence[Lane], limit: int) -> list[Entry]:
        """Up to `limit` entries whose messages are in memory, as `first` has them; none is passed over."""
        taken: list[Entry] = []
        for lane in () if self.paused else lanes:
            order = self._orders.get(lane)
            entry = None if order is None else order.first()
            while order is not None and entry is not None and entry.message is not None and len(taken) < limit:
                order.pop(entry)
                if entry.row:
                    self._hot -= 1
                self.held_bytes -= entry.held_bytes
                taken.append(entry)
                entry = order.first()
            if entry is not None:
                break
        self.queued -= len(taken)
        self.running += len(taken)
        return taken

    def first(self, lanes: Sequence[Lane]) -> Entry | None:
        """The entry that is to be received next: the oldest of the first of these lanes that has one."""
        if self.paused:
            return None
        for lane in lanes:
            order = self._orders.get(lane)
            first = None if order is None else order.first()
            if first is not None:
                return first
        return None

    def pause(self, *, paused: bool) -> None:
        """Hand nothing out from now on, or go on."""
        self.paused = paused
        self.wake_all()

    def give_back(self, entry: Entry) -> None:
        """Count a running entry as queued again; it waits for `put_back`."""
        self.running -= 1
        entry.stage = Stage.DELAYED
        self._count_again(entry)

    def put_back(self, entry: Entry) -> None:
        """Let an entry that is queued but out of order wait in its old place."""
        self._order(entry.lane).put_back(entry)
        self.wake(entry.lane)

    def leave(self, entry: Entry) -> None:
        """Take a queued entry out of turn: it ends."""
        self._count(entry, -1)
        self._order(entry.lane).leave(entry)
        self.held_bytes -= entry.held_bytes
        if entry.row and entry.message is not None:
            self._hot -= 1

    def undo_leave(self, entry: Entry) -> None:
        """Queue an entry again whose end could not be stored."""
        self._count_again(entry)
        self.put_back(entry)

    def set_row(self, entry: Entry, row: int) -> None:
        """Note that an entry is being written to the journal, or with 0 that it could not be."""
        if entry.queued and entry.message is not None:
            self._hot += (row != 0) - (entry.row != 0)
        entry.row = row

    def cold(self, lane: Lane, limit: int) -> list[Entry]:
        """Those of the next `limit` entries of a lane whose messages are in the journal only."""
        return self._order(lane).cold(limit)

    def position(self, entry: Entry) -> int:
        """About how many entries are received until this one is, if all receive as `PRIORITIES` has it; 1 is next."""
        lane = entry.options.lane
        return self._above(lane) + self._orders[lane].ahead_of(entry) + 1

    def oldest_queued_at(self) -> datetime | None:
        firsts = [order.first() for order in self._orders.values()]
        return min([entry.submitted_at for entry in firsts if entry is not None], default=None)

    def observe(self, run_s: float) -> None:
        """Take a run time into the moving average."""
        if run_s > 0:
            self.run_s = run_s if self.run_s is None else 0.9 * self.run_s + 0.1 * run_s

    def fail_receivers(self, error: str) -> None:
        """Raise `EngineUnavailable` from every wait for an entry."""
        while self.receivers:
            resolve(self.receivers.popleft().woken, EngineUnavailable(error))

    def wake_all(self) -> None:
        """Wake every receiver: messages were read, and each may wait for those."""
        receivers, self.receivers = self.receivers, deque()
        for receiver in receivers:
            resolve(receiver.woken, True)

    def wake(self, lane: Lane) -> None:
        """Wake one receiver of this lane, which looks for a ready entry."""
        for receiver in list(self.receivers):
            if lane in receiver.lanes:
                self.receivers.remove(receiver)
                if not receiver.woken.done():
                    receiver.woken.set_result(True)
                    return

    def _order(self, lane: Lane) -> Order:
        order = self._orders.get(lane)
        if order is None:
            order = self._orders[lane] = Order()
        return order

    def _above(self, lane: Lane) -> int:
        """How many wait in the lanes above this one."""
        above = 0
        for each in _ABOVE[lane]:
            if each in self._orders:
                above += self._orders[each].queued
        return above

    def _count(self, entry: Entry, number: int) -> None:
        self.queued += number
        self._order(entry.options.lane).queued += number

    def _count_again(self, entry: Entry) -> None:
        self._count(entry, 1)
        self.held_bytes += entry.held_bytes
        if entry.row and entry.message is not None:
            self._hot += 1
