"""Redis Sentinel: finds the master, and makes clients of whichever server it is when they connect."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, cast
from weakref import WeakSet

import msgspec
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from zypher.engines.redis_streams.connection.address import Address, options
from zypher.engines.redis_streams.connection.client import Client, ConnectionPool
from zypher.engines.redis_streams.connection.failures import describe_sentinels
from zypher.errors import EngineUnavailable

Place = tuple[str, int]  # host and port

_ANSWER_S = 5.0  # with a new connection to a sentinel far away
_OTHERS_S = 0.2  # after the first answer, for those of the other sentinels


class Master(msgspec.Struct, frozen=True, order=True):
    """What a sentinel answers."""

    epoch: int  # grows with each failover: a sentinel that was cut off has an older one
    place: Place


class _Pool(ConnectionPool, Protocol):
    master_address: Place | None  # to which it connected last


class Sentinels:
    """The sentinels of one address."""

    def __init__(self, address: Address) -> None:
        self.master: Place | None = None  # to which a client connected last
        self.name = address.master
        self.addresses = address.sentinels
        self._address = address
        self._clients = [each.client() for each in address.sentinels]
        self._pools = WeakSet[_Pool]()

    def client(self) -> Client:
        """A client that asks for the master whenever it connects, and takes no server that is none."""
        each: dict[str, object] = options() | dict(parse_url(self._address.url))
        secure = each.pop("connection_class", None) is not None
        pool = SentinelConnectionPool(
            self._address.master, cast(Sentinel, self), ssl=secure, redis_connect_func=_connect, **each
        )
        self._pools.add(cast(_Pool, pool))
        return cast(Client, Redis.from_pool(pool))

    async def discover_master(self, _: str) -> Place:
        """For redis-py. Raises `EngineUnavailable`."""
        self.master = (await self.find()).place
        return self.master

    async def find(self) -> Master:
        """The master, as those sentinels see it that answer at once. Raises `EngineUnavailable`."""
        asked = [asyncio.ensure_future(self._ask(client)) for client in self._clients]
        try:
            async with asyncio.timeout(_ANSWER_S):
                await _first(asked)
            await asyncio.wait(asked, timeout=_OTHERS_S)
        except TimeoutError:
            pass
        finally:
            for each in asked:
                each.cancel()
            await asyncio.wait(asked)
        errors = [error for each in asked if not each.cancelled() and (error := each.exception()) is not None]
        found = [each.result() for each in asked if not each.cancelled() and each.exception() is None]
        if not found:
            raise EngineUnavailable(describe_sentinels(errors[0] if errors else TimeoutError(), self._address.shown))
        return max(found)

    def stale(self, master: Place) -> Sequence[ConnectionPool]:
        """The connections of those clients that connected last to another server than this."""
        return [pool for pool in self._pools if pool.master_address != master]

    async def close(self) -> None:
        """May happen twice."""
        for client in self._clients:
            await client.aclose()

    async def _ask(self, client: Client) -> Master:
        answer = cast("list[bytes]", await client.execute_command("SENTINEL", "MASTER", self._address.master))
        fields = dict(zip(answer[::2], answer[1::2], strict=True))
        return Master(int(fields[b"config-epoch"]), (fields[b"ip"].decode(), int(fields[b"port"])))


async def _first(asked: Sequence[asyncio.Future[Master]]) -> None:
    """Return once one of them has an answer, or none will have."""
    for each in asyncio.as_completed(asked):
        try:
            await each
        except (RedisError, OSError):
            continue
        return


async def _connect(connection: AbstractConnection) -> None:
    """Make a connection ready, if it is to a master: one that was replaced may not know yet."""
    await connection.on_connect()
    await connection.send_command("INFO", "replication")
    if b"role:master" not in cast(bytes, await connection.read_response()):
        raise RedisConnectionError("the server that the sentinels name is not the master")
