"""The engines that the suite holds to the contract: adding one is adding a parameter."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.fake_clock import FakeClock
from tests.redis_cluster import RedisCluster
from tests.redis_keys import leftovers
from tests.redis_server import RedisServer, no_redis, redis_program
from tests.redis_time import RedisClock
from zypher.engines.contract import Engine
from zypher.engines.embedded.disk.journal import DiskJournal
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.embedded.journal import Journal
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.engine import RedisStreamsEngine
from zypher.engines.redis_streams.limits import Limits

LEASE_S = 30.0
RETENTION_S = 3600.0
LIMIT_BYTES = 1_073_741_824

KEEPING = ("embedded", "redis", "cluster")  # engines of which a second process finds what the first left behind
ENGINES = (*KEEPING, "memory")

both_kinds = pytest.mark.parametrize("durable", [True, False])
reopens = pytest.mark.parametrize("place", KEEPING, indirect=True)  # a test that closes an engine and opens another


class OpenEngine(Protocol):
    """Opens an engine; a second one of the same test finds what the first, closed, left behind: see `reopens`."""

    def __call__(self, *, queue_limit: int = 1000, limit_bytes: int = LIMIT_BYTES) -> Awaitable[Engine]: ...


class EmbeddedPlace:
    """This process, with a folder or without one, and the engine that works in it."""

    def __init__(self, folder: Path | None) -> None:
        self.clock = FakeClock()
        self._folder = folder

    def make(self, *, queue_limit: int, limit_bytes: int) -> Engine:
        clock, folder = self.clock, self._folder
        journal: Journal = (
            MemoryJournal(clock, limit_bytes) if folder is None else DiskJournal(folder, clock, limit_bytes)
        )
        return EmbeddedEngine(journal, clock, queue_limit=queue_limit, retention_s=RETENTION_S, lease_s=LEASE_S)

    def close(self) -> None:
        """Nothing but a temporary folder is left."""


class RedisPlace:
    """An empty Redis, or a cluster of them, and the engine that works in it."""

    def __init__(self, server: RedisServer | RedisCluster) -> None:
        self._server = server
        self._clients = server.clients()
        for client in self._clients:
            client.flushall()
        self.clock = RedisClock(self._clients)

    def make(self, *, queue_limit: int, limit_bytes: int) -> Engine:
        limits = Limits(queue_limit, RETENTION_S, LEASE_S, most_bytes=limit_bytes)
        return RedisStreamsEngine(Address.parse(self._server.url), limits, self.clock)

    def close(self) -> None:
        """Of what has ended nothing may stay for good."""
        found = [key for client in self._clients for key in leftovers(client)]
        for client in self._clients:
            client.close()
        assert found == []


Place = EmbeddedPlace | RedisPlace


@pytest.fixture(scope="session", autouse=True)
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer | None]:
    """A Redis that the tests share, one after the other; None where there is none."""
    if redis_program() is None:
        yield None
        return
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster | None]:
    """A cluster that the tests share, one after the other; None where there is no Redis."""
    if redis_program() is None:
        yield None
        return
    with RedisCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(params=ENGINES)
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    redis_server: RedisServer | None,
    redis_cluster: RedisCluster | None,
) -> Iterator[Place]:
    place: Place
    if request.param in {"embedded", "memory"}:
        place = EmbeddedPlace(tmp_path / "data" if request.param == "embedded" else None)
    else:
        place = RedisPlace((redis_server if request.param == "redis" else redis_cluster) or no_redis())
    yield place
    place.close()


@pytest.fixture
def clock(place: Place) -> FakeClock:
    return place.clock


@pytest.fixture
async def open_engine(place: Place) -> AsyncIterator[OpenEngine]:
    opened: list[Engine] = []

    async def open_one(*, queue_limit: int = 1000, limit_bytes: int = LIMIT_BYTES) -> Engine:
        engine = place.make(queue_limit=queue_limit, limit_bytes=limit_bytes)
        await engine.open()
        opened.append(engine)
        return engine

    yield open_one
    for engine in opened:
        await engine.close()


@pytest.fixture
async def engine(open_engine: OpenEngine) -> Engine:
    return await open_engine()
