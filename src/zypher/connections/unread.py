"""Answers that their clients have not read yet, within the server's budget."""

import asyncio
import fcntl
import socket
import struct
import termios
from contextlib import suppress
from typing import Protocol

from zypher.access.budget import Budget
from zypher.clock import Clock

_PATIENCE_S = 0.05  # for a client to begin to read, when memory is short
_LOOK_AGAIN_S = 0.02


class Reader(Protocol):
    """A connection whose client is behind."""

    transport: asyncio.Transport
    answer_bytes: int  # of the answer, which is held as a whole until it is read


class _Progress:
    """How far a client has come."""

    __slots__ = ("held_bytes", "since_s", "unread_bytes")

    def __init__(self, held_bytes: int, unread_bytes: int, since_s: float) -> None:
        self.held_bytes = held_bytes
        self.unread_bytes = unread_bytes
        self.since_s = since_s  # when it read something last, monotonic


class UnreadAnswers:
    """Who reads, however slowly, gets everything. Who reads nothing for `read_timeout_s` is cut off.

    When the budget is used up, an answer is not refused: whoever has read nothing for longest is cut off in its favour.
    """

    def __init__(self, budget: Budget, clock: Clock, read_timeout_s: float) -> None:
        self.budget = budget
        self._clock = clock
        self._read_timeout_s = read_timeout_s
        self._readers: dict[Reader, _Progress] = {}
        self._looked_s = 0.0

    def add(self, reader: Reader) -> None:
        """Its client is behind with an answer."""
        held_bytes = max(reader.answer_bytes, reader.transport.get_write_buffer_size())
        self._readers[reader] = _Progress(held_bytes, _unread_bytes(reader), self._clock.monotonic())
        self.budget.take(held_bytes)
        if self.budget.exceeded:
            self._make_room()

    def remove(self, reader: Reader) -> None:
        """Its client has caught up, or gone."""
        progress = self._readers.pop(reader, None)
        if progress is not None:
            self.budget.give_back(progress.held_bytes)

    def look(self) -> None:
        """Note who has read something, and cut off who has not for too long."""
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
            if not self.budget.exceeded or now_s - progress.since_s < _PATIENCE_S:
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
