"""Opens an address: checks that there is a Redis which this engine can use."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from redis.exceptions import BusyLoadingError

from zypher.clock import Clock
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.connection.client import Client
from zypher.engines.redis_streams.connection.cluster import (
    ClusterExchange,
    CopiedClusterExchange,
    node_clients,
    subscriber_client,
)
from zypher.engines.redis_streams.connection.copies import CopiedExchange
from zypher.engines.redis_streams.connection.exchange import CONNECT_S, Exchange, ServerExchange
from zypher.engines.redis_streams.connection.failures import describe
from zypher.engines.redis_streams.connection.sentinel import Sentinels
from zypher.engines.redis_streams.connection.upgrade import Upgrade
from zypher.engines.redis_streams.format import FORMAT, check_format, is_taken_over, not_ours
from zypher.engines.redis_streams.server_info import is_too_old
from zypher.errors import EngineError

logger = logging.getLogger(__name__)

_LOADING_PAUSE_S = 0.5


class Endpoint(msgspec.Struct, frozen=True):
    """A Redis, alone or a cluster, that passed the handshake."""

    client: Client
    exchange: Exchange
    make_subscriber: Callable[[], Client]  # another client, for subscriptions, which closes it
    make_node_clients: Callable[[], dict[str, Client]]  # others, by the address of each server; who asks closes them
    copied: Exchange | None = None  # for what is copied before it is answered
    sentinels: Sentinels | None = None
    lines: tuple[ServerExchange, ...] = ()  # on which batches may be under way when the master changes

    async def close(self) -> None:
        """By who holds it; may happen twice."""
        await self.client.aclose()
        if isinstance(self.copied, CopiedClusterExchange):
            await self.copied.close()
        if self.sentinels is not None:
            await self.sentinels.close()


async def handshake(address: Address, clock: Clock, wait_replicas: int = 0) -> Endpoint:
    """Connect to this address, and wait while its Redis loads its data.

    Raises `EngineError`, and nothing was overwritten.
    """
    logged = False
    while True:
        try:
            return await _connect(address, clock, wait_replicas)
        except BusyLoadingError:
            if not logged:
                logger.warning("Redis is still loading its data; waiting for it", extra={"engine": address.shown})
            logged = True
            await clock.sleep(_LOADING_PAUSE_S)


async def _connect(address: Address, clock: Clock, wait_replicas: int) -> Endpoint:
    endpoint = _of_server(address, wait_replicas)
    try:
        async with asyncio.timeout(CONNECT_S):
            server = await endpoint.client.info("server")
        check_version(str(server.get("redis_version", "")), address.shown)
        modes = server.get("redis_mode"), server.get("server_mode")  # as Redis and Valkey 9 call it
        if "sentinel" in modes:
            meant = address.shown.replace("://", "+sentinel://")
            raise EngineError(f"This is a Sentinel: use {meant}?master=NAME, with the name of its master.")
        if "cluster" in modes:
            await endpoint.close()
            endpoint = _of_cluster(address, clock, wait_replicas)
        async with asyncio.timeout(CONNECT_S):
            is_older = await _check_prefix(endpoint.client, address)
        if is_older:
            await _take_over(endpoint, address)
    except BaseException as error:
        await endpoint.close()
        if isinstance(error, EngineError | BusyLoadingError) or not isinstance(error, Exception):
            raise
        raise EngineError(describe(error, address.shown)) from error
    return endpoint


def _of_server(address: Address, wait_replicas: int) -> Endpoint:
    sentinels = Sentinels(address) if address.sentinels else None
    make_client = sentinels.client if sentinels else address.client
    client = make_client()
    usual, waiting = ServerExchange(client), ServerExchange(client)
    copied = CopiedExchange(waiting, wait_replicas) if wait_replicas else None
    return Endpoint(
        client, usual, make_client, lambda: {address.shown: make_client()}, copied, sentinels, (usual, waiting)
    )


def _of_cluster(address: Address, clock: Clock, wait_replicas: int) -> Endpoint:
    client = address.cluster_client()
    return Endpoint(
        client,
        ClusterExchange(client, clock),
        lambda: subscriber_client(address, client),
        lambda: node_clients(address, client),
        CopiedClusterExchange(client, clock, address, wait_replicas) if wait_replicas else None,
    )


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
