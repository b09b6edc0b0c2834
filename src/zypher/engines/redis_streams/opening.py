"""The first look at a Redis: whether it can be this engine's."""

import asyncio
import re

from zypher.engines.redis_streams.address import Address
from zypher.engines.redis_streams.client import Client
from zypher.engines.redis_streams.exchange import ClusterExchange, Exchange, ServerExchange
from zypher.engines.redis_streams.troubles import sentence
from zypher.errors import EngineError

FORMAT = 1  # of what is kept under the prefix
_OLDEST = (6, 2)
_PATIENCE_S = 5.0


async def open_client(address: Address) -> tuple[Client, Exchange]:
    """A client for this Redis, alone or a cluster. Raises `EngineError`, and nothing was overwritten."""
    client = address.client()
    exchange: Exchange = ServerExchange(client)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            about = await client.info("server")
            _check_version(str(about.get("redis_version", "")), address)
            if about.get("redis_mode") == "cluster":
                await client.aclose()
                client = address.cluster_client()
                exchange = ClusterExchange(client)
            await _check_format(client, address)
    except Exception as error:
        await client.aclose()
        raise error if isinstance(error, EngineError) else EngineError(sentence(error, address.shown)) from error
    return client, exchange


def _check_version(version: str, address: Address) -> None:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        raise EngineError(f"The Redis at {address.shown} is {version}; the engine needs Redis 6.2 or later, or Valkey.")


async def _check_format(client: Client, address: Address) -> None:
    kind = await client.execute_command("TYPE", address.prefix)
    if kind == b"none":
        await client.execute_command("HSETNX", address.prefix, "format", FORMAT)
    elif kind != b"hash":
        raise _foreign(address)
    written = await client.execute_command("HGET", address.prefix, "format")
    if not isinstance(written, bytes) or not written.isdigit():
        raise _foreign(address)
    if int(written) > FORMAT:
        raise EngineError(
            f"The predictions at {address.shown} were written by a newer version of zypher (format {int(written)}, "
            f"this one knows {FORMAT}); install that version, or choose other keys with ?prefix=NAME."
        )


def _foreign(address: Address) -> EngineError:
    return EngineError(
        f"The key {address.prefix!r} at {address.shown} is not one of zypher's; it was left as it is: "
        "choose other keys with ?prefix=NAME at the end of the engine's URL."
    )
