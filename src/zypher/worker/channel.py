"""One end of the socket pair between a worker and a replica."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import msgspec

from zypher.worker.messages import BadFrame, FrameReader, ToReplica, ToWorker, frames


class Channel(asyncio.Protocol):
    """Sends messages, hands over the body of every frame that arrives, and tells of the end once."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = received
        self._lost = lost
        self.broken = False  # whether it ended because something else than messages came
        self._reader = FrameReader()
        self._outgoing: list[ToReplica | ToWorker] = []
        self._transport: asyncio.Transport | None = None

    async def open(self, end: socket.socket) -> None:
        """Take over this end of the pair."""
        await self._loop.create_connection(lambda: self, sock=end)

    def receive(self, received: Callable[[bytes], None]) -> None:
        """Hand what arrives from now on to somebody else."""
        self._received = received

    def send(self, message: ToReplica | ToWorker) -> None:
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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._reader.feed(data):
                self._received(body)
        except (BadFrame, msgspec.MsgspecError):
            self.broken = True
            cast(asyncio.Transport, self._transport).abort()

    def _flush(self) -> None:
        messages, self._outgoing = self._outgoing, []
        if not messages or self._transport is None or self._transport.is_closing():
            return
        try:
            for each in frames(messages):
                self._transport.write(each)
        except BaseException:
            self._transport.abort()  # what cannot be sent is lost, and whoever waits for it is told
            raise
