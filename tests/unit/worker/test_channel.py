"""The worker's end of the socket, with a replica that does not read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import cast

import pytest

from tests.contract.phrases import turns
from tests.fake_clock import eventually
from zypher.worker.channel import Channel
from zypher.worker.frame_reader import FrameReader
from zypher.worker.frames import LONGEST_BYTES, decode_to_replica
from zypher.worker.protocol import Ping, Run, ToReplica, ToWorker

_MB = 1_000_000
RUNS = [Run(number, "a", 1, b"%1000000d" % number) for number in range(20)]


class Watched(Channel):
    """A channel whose transport the test sees."""

    def __init__(self) -> None:
        super().__init__(_MB, self._arrived, self._ended)
        self.ended = False
        self._seen: asyncio.Transport | None = None

    @property
    def buffered_bytes(self) -> int:
        """What was encoded and not sent."""
        return self._seen.get_write_buffer_size() if self._seen else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._seen = cast(asyncio.Transport, transport)
        super().connection_made(transport)

    def _arrived(self, messages: list[ToWorker]) -> None:
        raise AssertionError(messages)

    def _ended(self) -> None:
        self.ended = True


class Pair:
    """The two ends of a socket; nothing is read at the replica's but by `receive`."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.theirs.setblocking(False)
        self.channel = Watched()
        self._reader = FrameReader(LONGEST_BYTES)

    async def receive(self, count: int) -> list[ToReplica]:
        """So many messages, or what arrived of them before the end."""
        loop = asyncio.get_running_loop()
        received: list[ToReplica] = []
        while len(received) < count and (length := await loop.sock_recv_into(self.theirs, self._reader.space())):
            for body in self._reader.received(length):
                received += decode_to_replica(body)
        return received


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    pair = Pair()
    await pair.channel.open(pair.ours)
    yield pair
    pair.theirs.close()
    await eventually(lambda: pair.channel.ended)


async def test_messages_wait_unencoded_while_the_replica_does_not_read(pair: Pair) -> None:
    for run in RUNS:
        pair.channel.send(run)
    await turns()
    pair.channel.send(Ping())
    await turns()
    assert 0 < pair.channel.buffered_bytes <= 2 * _MB

    assert await pair.receive(len(RUNS) + 1) == [*RUNS, Ping()]
    assert pair.channel.buffered_bytes == 0


async def test_a_channel_ends_while_the_replica_does_not_read(pair: Pair) -> None:
    for run in RUNS:
        pair.channel.send(run)
    await turns()
    pair.channel.close()
    await turns()
    received = await pair.receive(len(RUNS))
    assert received == RUNS[: len(received)]
    await eventually(lambda: pair.channel.ended)
