"""Many commands there, as many answers back, in one go."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, cast

import hiredis
from redis.exceptions import ResponseError

from zypher.engines.redis_streams.client import Client, Connection, Word

_ANSWER_S = 3.0  # nothing that is sent this way blocks in Redis
_SLOWEST_BYTES_S = 1_048_576  # of a way to Redis that counts as one


class _Packer(Protocol):
    def pack_command(self, command: tuple[Word, ...], /) -> bytes: ...


_pack = cast(_Packer, hiredis).pack_command


class Exchange(Protocol):
    """How commands are sent."""

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        """The answers in order, a refusal as an exception in its place. Raises what else redis-py raises."""
        ...


class ServerExchange:
    """With one server. Packed in C and under one time limit: redis-py's pipeline costs twice as much."""

    def __init__(self, client: Client) -> None:
        self._pool = client.connection_pool

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        async with asyncio.timeout(_ANSWER_S):
            connection = await self._pool.get_connection()
        try:
            return await _exchange(connection, b"".join(map(_pack, commands)), len(commands))
        except BaseException:
            # What is on its way must not be taken for the answer to something else.
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
            _put_off(limit, loop.time())
            try:
                answers.append(await connection.read_response())
            except ResponseError as refusal:
                answers.append(refusal)
    return answers


def _put_off(limit: asyncio.Timeout, now: float) -> None:
    """Let the next answer take its time, too: a new limit only where the old one has run by half, for it costs."""
    ends = limit.when()
    if ends is None or ends - now < _ANSWER_S / 2:
        limit.reschedule(now + _ANSWER_S)
