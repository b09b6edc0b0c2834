"""One batch of commands to a server, and its answers, in one round trip."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, cast

import hiredis
from redis.exceptions import ResponseError

from zypher.engines.redis_streams.connection.client import Client, Connection, Word

_ANSWER_S = 3.0  # no command of this engine blocks in Redis
_SLOWEST_BYTES_S = 1_048_576  # of a connection that counts as working


class _Packer(Protocol):
    def pack_command(self, command: tuple[Word, ...], /) -> bytes: ...


_pack = cast(_Packer, hiredis).pack_command


class Exchange(Protocol):
    """Sends one batch."""

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        """The answers in order; one may be a `ResponseError`. Raises what else redis-py raises."""
        ...


class ServerExchange:
    """Sends to one server. Packed in C and under one time limit: redis-py's pipeline costs twice as much."""

    def __init__(self, client: Client) -> None:
        self._pool = client.connection_pool

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        async with asyncio.timeout(_ANSWER_S):
            connection = await self._pool.get_connection()
        try:
            return await _exchange(connection, b"".join(map(_pack, commands)), len(commands))
        except BaseException:
            # A late answer must not be read as the answer to the next batch.
            await connection.disconnect()
            raise
        finally:
            await self._pool.release(connection)


async def _exchange(connection: Connection, packed: bytes, number: int) -> list[object]:
    loop = asyncio.get_running_loop()
    answers: list[object] = []
    async with asyncio.timeout(_ANSWER_S + len(packed) / _SLOWEST_BYTES_S) as limit:
        await connection.send_packed_command(packed)
        for _ in range(number):
            _extend(limit, loop.time())
            try:
                answers.append(await connection.read_response())
            except ResponseError as error:
                answers.append(error)
    return answers


def _extend(limit: asyncio.Timeout, now: float) -> None:
    """Give the next answer its own time. A new limit is costly, so it is set once half of the old one is over."""
    ends = limit.when()
    if ends is None or ends - now < _ANSWER_S / 2:
        limit.reschedule(now + _ANSWER_S)
