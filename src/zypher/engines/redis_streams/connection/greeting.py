"""The first words on a connection, and why Redis ends it instead."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from urllib.parse import urlsplit

from redis.exceptions import ConnectionError as RedisConnectionError

from zypher.engines.redis_streams.connection.client import Connection

_REASON_S = 1.0
_REASON_BYTES = 500


def greeting(url: str) -> Callable[[Connection], Coroutine[None, None, None]]:
    """What redis-py is to do with a new connection to this URL: as always, and find the reason if that fails.

    Redis refuses a connection too many with a sentence, and closes it so soon that redis-py, which writes first, reads
    nothing of it.
    """

    async def greet(connection: Connection) -> None:
        try:
            await connection.on_connect()
        except RedisConnectionError as error:
            reason = await _reason(url) if type(error) is RedisConnectionError else ""
            if not reason:
                raise
            raise RedisConnectionError(reason) from error

    return greet


async def _reason(url: str) -> str:
    """What Redis sends to a connection that it ends at once; "" when it sends nothing, and for TLS and unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "redis":
        return ""
    with suppress(OSError):
        async with asyncio.timeout(_REASON_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 6379)
            try:
                return (await reader.read(_REASON_BYTES)).decode(errors="replace").partition("\r\n")[0]
            finally:
                writer.close()
    return ""
