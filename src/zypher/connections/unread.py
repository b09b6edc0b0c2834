"""Responses that their clients have not read yet, within the server's budget."""

import asyncio
import fcntl
import socket
import struct
import termios
from contextlib import suppress
from typing import Protocol

from zypher.access.budget import Budget
from zypher.clock import Clock

_GRACE_S = 0.05  # for a client to begin to read, when the budget is used up
_LOOK_AGAIN_S = 0.02


class Reader(Protocol):
    """A connection with a response that its client has not read."""

    transport: asyncio.Transport
    response_bytes: int  # of the answer, which is held as a whole until it is read


class _Progress:
    """How much of a response a client has read."""

    __slots__ = ("held_bytes", "since_s", "unread_bytes")

    def __init__(self, held_bytes: int, unread_bytes: int, since_s: float) -> None:
        self.held_bytes = held_bytes
        self.unread_bytes = unread_bytes
        self.since_s = since_s  # when it read something last, monotonic


class UnreadResponses:
    """A client that reads, however slowly, gets everything; one that reads nothing for `read_timeout_s` is cut off.

    When the budget is used up, a response is still sent: the reader without progress for longest is cut off instead.
    """

    def __init__(self, budget: Budget, clock: Clock, read_timeout_s: float) -> None:
        self.budget = budget
        self._clock = clock
        self._read_timeout_s = read_timeout_s
        self._readers: dict[Reader, _Progress] = {}
        self._looked_s = 0.0

    def add(self, reader: Reader) -> None:
        """Its client has not read all of a response."""
        held_bytes = max(reader.response_bytes, reader.transport.get_write_buffer_size())
        self._readers[reader] = _Progress(held_bytes, _unread_bytes(reader), self._clock.monotonic())
        self.budget.take(held_bytes)
        if self.budget.exceeded:
            self._make_room()

    def remove(self, reader: Reader) -> None:
        """Its client has read everything, or disconnected."""
        progress = self._readers.pop(reader, None)
        if progress is not None:
            self.budget.give_back(progress.held_bytes)

    def look(self) -> None:
        """Update the progress of each reader; cut off those without any for too long."""
        self._looked_s = now_s = self._clock.monotonic()
        for reader, progress in list(self._readers.items()):
            unread_bytes = _unread_bytes(reader)
            if unread_bytes != progress.unread_bytes:
                progress.unread_bytes, progress.since_s = unread_bytes, now_s
            elif now_s - progress.since_s >= self._read_timeout_s:
                self._cut_off(reader)

    def _make_room(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._looked_s >= _LOOK_AGAIN_S:
            self.look()
        for reader, progress in sorted(self._readers.items(), key=lambda each: each[1].since_s):
            if not self.budget.exceeded or now_s - progress.since_s < _GRACE_S:
                return
            self._cut_off(reader)

    def _cut_off(self, reader: Reader) -> None:
        self.remove(reader)
        reader.transport.abort()


def _unread_bytes(reader: Reader) -> int:
    """What the client has not acknowledged: in our buffer, and on Linux in the system's."""
    unsent_bytes = reader.transport.get_write_buffer_size()
    connection: socket.socket = reader.transport.get_extra_info("socket")
    with suppress(OSError, AttributeError, ValueError):  # also of one that is closed, or none
        queued = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        unsent_bytes += struct.unpack("i", queued)[0]
    return unsent_bytes
