"""The first look at a Redis: whether it can be this engine's."""

import asyncio
import logging
import re
from collections.abc import Callable

import msgspec
from redis.exceptions import BusyLoadingError

from zypher.clock import Clock
from zypher.engines.redis_streams.address import Address
from zypher.engines.redis_streams.client import Client
from zypher.engines.redis_streams.cluster import ClusterExchange, listening_client
from zypher.engines.redis_streams.exchange import Exchange, ServerExchange
from zypher.engines.redis_streams.format import FORMAT, check_format, foreign
from zypher.engines.redis_streams.troubles import sentence
from zypher.errors import EngineError

logger = logging.getLogger(__name__)

_OLDEST = (6, 2)
_PATIENCE_S = 5.0
_LOADING_PAUSE_S = 0.5


class Way(msgspec.Struct, frozen=True):
    """The way to a Redis, alone or a cluster."""

    client: Client  # to be closed at the end
    exchange: Exchange
    listen: Callable[[], Client]  # a client more, for what is published; to be closed, too


async def find_way(address: Address, clock: Clock) -> Way:
    """The way to this Redis; waits while it loads its data.

    Raises `EngineError`, and nothing was overwritten.
    """
    told = False
    while True:
        try:
            return await _find(address, clock)
        except BusyLoadingError:
            if not told:
                logger.warning("Redis is still loading its data; waiting for it", extra={"engine": address.shown})
            told = True
            await clock.sleep(_LOADING_PAUSE_S)


async def _find(address: Address, clock: Clock) -> Way:
    client = address.client()
    way = Way(client, ServerExchange(client), address.client)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            about = await client.info("server")
            check_version(str(about.get("redis_version", "")), address.shown)
            if "cluster" in (about.get("redis_mode"), about.get("server_mode")):  # as Redis and Valkey 9 call it
                await client.aclose()
                cluster = address.cluster_client()
                way = Way(cluster, ClusterExchange(cluster, clock), lambda: listening_client(address, cluster))
            await _check_keys(way.client, address)
    except BaseException as error:
        await way.client.aclose()
        if isinstance(error, EngineError | BusyLoadingError) or not isinstance(error, Exception):
            raise
        raise EngineError(sentence(error, address.shown)) from error
    return way


def check_version(version: str, address: str) -> None:
    """Raises `EngineError` for a Redis that lacks a command which the engine needs."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        raise EngineError(f"The Redis at {address} is {version}; the engine needs Redis 6.2 or later, or Valkey.")


async def _check_keys(client: Client, address: Address) -> None:
    kind = await client.execute_command("TYPE", address.prefix)
    if kind == b"none":
        await client.execute_command("HSETNX", address.prefix, "format", FORMAT)
    elif kind != b"hash":
        raise foreign(address.prefix, address.shown)
    written = await client.execute_command("HGET", address.prefix, "format")
    if written is None:
        raise foreign(address.prefix, address.shown)
    check_format(written, address.prefix, address.shown)
