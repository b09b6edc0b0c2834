"""One batch of commands to a server, and its answers, in one round trip."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, cast

import hiredis
from redis.exceptions import ResponseError

from zypher.engines.redis_streams.connection.client import Client, Connection, ConnectionPool, Word

CONNECT_S = 10.0  # with TLS, credentials and a Redis far away
ANSWER_S = 3.0  # no command of this engine blocks in Redis
_SLOWEST_BYTES_S = 1_048_576  # of a connection that counts as working


class _Packer(Protocol):
    def pack_command(self, command: tuple[Word, ...], /) -> bytes: ...


_pack = cast(_Packer, hiredis).pack_command


class Exchange(Protocol):
    """Sends one batch."""

    @property
    def overlaps(self) -> bool:
        """Whether another batch may be sent before the answers are there, and is answered after them."""
        ...

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        """The answers in order; one may be a `ResponseError`. Raises what else redis-py raises."""
        ...


class ServerExchange:
    """Sends to one server. Packed in C and under one time limit: redis-py's pipeline costs twice as much.

    What is sent while another batch is under way follows it on the same connection.
    """

    overlaps = True

    def __init__(self, client: Client) -> None:
        self.pool = client.connection_pool
        self._line: _Line | None = None  # that another batch may join

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        line = self._line
        if line is None:
            line = self._line = _Line(self.pool)
        line.batches += 1
        try:
            return await line.exchange(b"".join(map(_pack, commands)), len(commands))
        except BaseException:
            # A late answer must not be read as the answer to the next batch.
            self.cut(line)
            await line.disconnect()
            raise
        finally:
            line.batches -= 1
            if line.batches == 0:
                self._leave(line)
                await line.release()

    def cut(self, line: "_Line | None" = None) -> None:
        """End all batches that are under way, as if their time were over."""
        line = line or self._line
        if line is not None:
            self._leave(line)
            line.cut()

    def _leave(self, line: "_Line") -> None:
        if self._line is line:
            self._line = None


class _Line:
    """A connection for as long as batches are under way on it, each answered in its turn."""

    def __init__(self, pool: ConnectionPool) -> None:
        self.batches = 0
        self._pool = pool
        self._connection: Connection | None = None
        self._limits: set[asyncio.Timeout] = set()  # of the batches
        self._cut = False
        self._sending = asyncio.Lock()  # both are fair, so the order of the calls is that of the answers
        self._reading = asyncio.Lock()

    async def exchange(self, packed: bytes, number: int) -> list[object]:
        answer_s = ANSWER_S + len(packed) / _SLOWEST_BYTES_S
        async with asyncio.timeout(None) as limit:
            self._limits.add(limit)
            try:
                async with self._sending:
                    self._check()
                    if self._connection is None:
                        limit.reschedule(_now() + CONNECT_S)
                        self._connection = await self._pool.get_connection()
                    limit.reschedule(_now() + answer_s)
                    await self._connection.send_packed_command(packed)
                if self._reading.locked():
                    limit.reschedule(None)
                async with self._reading:
                    self._check()
                    if limit.when() is None:
                        limit.reschedule(_now() + answer_s)
                    return await _read(self._connection, number, limit)
            finally:
                self._limits.discard(limit)

    def cut(self) -> None:
        self._cut = True
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(_now())

    async def disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)

    async def release(self) -> None:
        if self._connection is not None:
            await self._pool.release(self._connection)

    def _check(self) -> None:
        """Raises `ConnectionError` after a cut: redis-py would connect anew, and that is another connection."""
        if self._cut:
            raise ConnectionError("the connection was lost with the commands before")


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _read(connection: Connection, number: int, limit: asyncio.Timeout) -> list[object]:
    answers: list[object] = []
    for _ in range(number):
        _extend(limit, _now())
        try:
            answers.append(await connection.read_response())
        except ResponseError as error:
            answers.append(error)
    return answers


def _extend(limit: asyncio.Timeout, now: float) -> None:
    """Give the next answer its own time. A new limit is costly, so it is set once half of the old one is over."""
    ends = limit.when()
    if ends is None or ends - now < ANSWER_S / 2:
        limit.reschedule(now + ANSWER_S)
