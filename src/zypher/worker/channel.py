"""The worker's end of the socket between it and a replica."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import msgspec

from zypher.worker.frame_reader import FrameReader
from zypher.worker.frames import BadFrame, decode_to_worker, take_frame
from zypher.worker.protocol import ToReplica, ToWorker


class Channel(asyncio.BufferedProtocol):
    """Sends messages, hands over those that arrive, and reports the end once.

    While the replica takes nothing, messages wait unencoded: no more than it has slots, each with an input that the
    worker holds anyway.
    """

    def __init__(
        self, longest_bytes: int, received: Callable[[list[ToWorker]], None], lost: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = received
        self._lost = lost
        self.broken = False  # whether it ended because something else than messages came
        self._reader = FrameReader(longest_bytes)
        self._outgoing: list[ToReplica | ToWorker] = []
        self._transport: asyncio.Transport | None = None
        self._paused = False

    async def open(self, end: socket.socket) -> None:
        """Take over this end of the pair."""
        await self._loop.create_connection(lambda: self, sock=end)

    def send(self, message: ToReplica) -> None:
        """Send a message; one after the end is dropped."""
        # One write per turn of the loop: a burst of messages costs one system call, not one each.
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(message)

    def close(self) -> None:
        """Send what is left, then end."""
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        """End, because the replica sent what it must not."""
        self.broken = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._reader.space()

    def buffer_updated(self, nbytes: int) -> None:
        try:
            for body in self._reader.received(nbytes):
                self._received(decode_to_worker(body))
        except (BadFrame, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            self.abort()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        try:
            while self._outgoing and not self._paused:
                for piece in take_frame(self._outgoing):
                    transport.write(piece)
        except BaseException:
            transport.abort()  # what cannot be sent is lost, and so is its replica
            raise
