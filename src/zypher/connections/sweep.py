"""Deadlines of all connections: one sweep a second while there are any."""

import asyncio
from email.utils import format_datetime
from typing import Protocol

from zypher.clock import Clock, Timer
from zypher.connections.heap import trim
from zypher.connections.unread import UnreadResponses
from zypher.http.response import Header
from zypher.settings import HttpSettings

_EVERY_S = 1.0
_LINGER_S = 2.0  # for a client to read why it was cut off


class Expiring(Protocol):
    """A connection, as the sweep sees it."""

    deadline_s: float  # monotonic

    def expire(self) -> None:
        """The deadline has passed."""
        ...


class Sweep:
    """Keeps the readings of the clock fresh that deadlines are made of, and ends what is past its own."""

    def __init__(self, settings: HttpSettings, clock: Clock, unread: UnreadResponses) -> None:
        self.unread = unread
        self.read_deadline_s = self.idle_deadline_s = self.linger_deadline_s = 0.0
        self.date: Header = (b"date", b"")
        self.last_responses = False  # a connection ends with the next response that no request waits behind
        self.connections: set[Expiring] = set()
        self._clock = clock
        self._timer: Timer | None = None
        self._emptied: asyncio.Future[None] | None = None
        self._every_s = min(_EVERY_S, settings.read_timeout_s / 4, settings.keep_alive_timeout_s / 4)
        # A reading is up to one sweep old when a deadline is computed from it: no client is cut off early.
        self._read_s = settings.read_timeout_s + self._every_s
        self._idle_s = settings.keep_alive_timeout_s + self._every_s

    def join(self, connection: Expiring) -> None:
        """Look after a new connection."""
        if self._timer is None:
            self._sweep()
            self._timer = self._clock.call_later(self._every_s, self._again)
        self.connections.add(connection)
        connection.deadline_s = self.read_deadline_s

    def leave(self, connection: Expiring) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self.wait_no_longer()

    async def emptied(self, wait_s: float) -> None:
        """Return once no connection is left, or after `wait_s` seconds."""
        if self.connections:
            self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._emptied}, timeout=wait_s)

    def wait_no_longer(self) -> None:
        """End a wait in `emptied`."""
        if self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        self._timer = self._clock.call_later(self._every_s, self._again) if self.connections else None
        self._sweep()

    def _sweep(self) -> None:
        now_s = self._clock.monotonic()
        self.read_deadline_s = now_s + self._read_s  # of what begins now
        self.idle_deadline_s = now_s + self._idle_s  # of a connection that rests from now on
        self.linger_deadline_s = now_s + _LINGER_S  # of one that is closed now
        self.date = (b"date", format_datetime(self._clock.now(), usegmt=True).encode())
        self.unread.look()
        if self.unread.budget.dropped_since_trim():
            trim()
        for connection in list(self.connections):
            if connection.deadline_s <= now_s:
                connection.expire()
