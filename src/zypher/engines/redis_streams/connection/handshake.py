"""Opens an address: checks that there is a Redis which this engine can use."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from redis.exceptions import BusyLoadingError

from zypher.clock import Clock
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.connection.client import Client
from zypher.engines.redis_streams.connection.cluster import ClusterExchange, node_clients, subscriber_client
from zypher.engines.redis_streams.connection.exchange import Exchange, ServerExchange
from zypher.engines.redis_streams.connection.failures import describe
from zypher.engines.redis_streams.connection.upgrade import Upgrade
from zypher.engines.redis_streams.format import FORMAT, check_format, is_taken_over, not_ours
from zypher.engines.redis_streams.server_info import is_too_old
from zypher.errors import EngineError

logger = logging.getLogger(__name__)

_HANDSHAKE_S = 5.0
_LOADING_PAUSE_S = 0.5


class Endpoint(msgspec.Struct, frozen=True):
    """A Redis, alone or a cluster, that passed the handshake."""

    client: Client  # the holder of the endpoint closes it
    exchange: Exchange
    make_subscriber: Callable[[], Client]  # another client, for subscriptions, which closes it
    make_node_clients: Callable[[], dict[str, Client]]  # others, by the address of each server; who asks closes them


async def handshake(address: Address, clock: Clock) -> Endpoint:
    """Connect to this address, and wait while its Redis loads its data.

    Raises `EngineError`, and nothing was overwritten.
    """
    logged = False
    while True:
        try:
            return await _connect(address, clock)
        except BusyLoadingError:
            if not logged:
                logger.warning("Redis is still loading its data; waiting for it", extra={"engine": address.shown})
            logged = True
            await clock.sleep(_LOADING_PAUSE_S)


async def _connect(address: Address, clock: Clock) -> Endpoint:
    client = address.client()
    endpoint = Endpoint(client, ServerExchange(client), address.client, lambda: {address.shown: address.client()})
    try:
        async with asyncio.timeout(_HANDSHAKE_S):
            server = await client.info("server")
            check_version(str(server.get("redis_version", "")), address.shown)
            if "cluster" in (server.get("redis_mode"), server.get("server_mode")):  # as Redis and Valkey 9 call it
                await client.aclose()
                cluster = address.cluster_client()
                exchange = ClusterExchange(cluster, clock)
                endpoint = Endpoint(
                    cluster,
                    exchange,
                    lambda: subscriber_client(address, cluster),
                    lambda: node_clients(address, cluster),
                )
            is_older = await _check_prefix(endpoint.client, address)
        if is_older:
            await _take_over(endpoint, address)
    except BaseException as error:
        await endpoint.client.aclose()
        if isinstance(error, EngineError | BusyLoadingError) or not isinstance(error, Exception):
            raise
        raise EngineError(describe(error, address.shown)) from error
    return endpoint


def check_version(version: str, address: str) -> None:
    """Raises `EngineError` for a Redis that lacks a command which the engine needs."""
    if is_too_old(version):
        raise EngineError(f"The Redis at {address} is {version}; the engine needs Redis 6.2 or later, or Valkey.")


async def _check_prefix(client: Client, address: Address) -> bool:
    """Claim the prefix if it is free; whether it is of the format before, which is to be taken over.

    Raises `EngineError` when it has another format or belongs to another program.
    """
    kind = await client.execute_command("TYPE", address.prefix)
    if kind == b"none":
        await client.execute_command("HSETNX", address.prefix, "format", FORMAT)
    elif kind != b"hash":
        raise not_ours(address.prefix, address.shown)
    written = await client.execute_command("HGET", address.prefix, "format")
    if written is None:
        raise not_ours(address.prefix, address.shown)
    if is_taken_over(written):
        return True
    check_format(written, address.prefix, address.shown)
    return False


async def _take_over(endpoint: Endpoint, address: Address) -> None:
    """However long it takes."""
    nodes = list(endpoint.make_node_clients().values())
    try:
        await Upgrade(endpoint.client, nodes, address.prefix, address.shown).run()
    finally:
        for node in nodes:
            await node.aclose()
