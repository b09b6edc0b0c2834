"""A Redis that is set so that it may lose something, or that lost it: a warning while that is so, and no longer."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.proxy import Proxy
from tests.contract.phrases import SUCCEEDED, depth, message, receive_one, settle_one, submit_one
from tests.redis_client import RedisClient
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer, no_redis, own_redis, redis_program
from tests.redis_time import RedisClock
from zypher.engines.contract import Engine, Submission
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.engine import RedisStreamsEngine
from zypher.engines.redis_streams.limits import Limits
from zypher.errors import EngineError, EngineUnavailable

LIMITS = Limits(queue_limit=100, retention_s=36_000, lease_s=30)
A_MINUTE_S = 60.0
SOON_S = 5.0

Values = dict[str, str]  # of settings, by their names


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    yield from own_redis(tmp_path)


@pytest.fixture
def clock(redis: RedisClient) -> RedisClock:
    return RedisClock([redis])


@asynccontextmanager
async def opened(url: str, clock: RedisClock, *, requires_durable: bool = False) -> AsyncGenerator[Engine]:
    engine = RedisStreamsEngine(Address.parse(url), LIMITS, clock, requires_durable=requires_durable)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


def kinds(engine: Engine) -> list[str]:
    return [warning.kind.value for warning in engine.warnings()]


def sentence(engine: Engine) -> str:
    (warning,) = engine.warnings()
    return warning.sentence


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(SOON_S):
        while not condition():
            await asyncio.sleep(0.01)


async def changed(client: RedisClient, values: Values) -> None:
    """Change settings; one that begins the append-only file is waited for, for Redis does not stop meanwhile."""
    for name, value in values.items():
        client.execute_command("CONFIG", "SET", name.replace("_", "-"), value)
    await until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])


@pytest.mark.parametrize(
    ("wrong", "right", "kind"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, {"maxmemory_policy": "noeviction"}, "evicts"),
        ({"maxmemory_policy": "volatile-lru"}, {"maxmemory_policy": "noeviction"}, "evicts"),
        ({"appendonly": "no"}, {"appendonly": "yes"}, "not_persistent"),
    ],
)
async def test_a_warning_comes_and_goes_with_its_setting(
    redis: RedisClient, server: RedisServer, clock: RedisClock, wrong: Values, right: Values, kind: str
) -> None:
    async with opened(server.url, clock) as running:
        assert kinds(running) == []
        await changed(redis, wrong)
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(running) == [kind])
        async with opened(server.url, clock) as started:
            assert started.warnings() == running.warnings()
        await changed(redis, right)
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(running) == [])


async def test_warnings_need_no_right_to_read_the_configuration(server: RedisServer, redis: RedisClient) -> None:
    await changed(redis, {"maxmemory_policy": "allkeys-lru", "appendonly": "no"})
    redis.execute_command("ACL", "SETUSER", "me", "on", ">hush", "~*", "&*", "+@all", "-config")
    url = server.url.replace("redis://", "redis://me:hush@")
    async with opened(url, RedisClock([redis])) as engine:
        assert kinds(engine) == ["evicts", "not_persistent"]


async def test_without_the_right_to_info_predictions_go_on(server: RedisServer, redis: RedisClient) -> None:
    redis.execute_command("ACL", "SETUSER", "me", "on", ">hush", "~*", "&*", "+@all")
    clock = RedisClock([redis])
    async with opened(server.url.replace("redis://", "redis://me:hush@"), clock) as engine:
        redis.execute_command("ACL", "SETUSER", "me", "-info")
        clock.advance(A_MINUTE_S)
        await until(lambda: b"NOPERM" in str(redis.execute_command("INFO", "errorstats")).encode())
        assert kinds(engine) == []
        assert (await depth(engine)).problem is None


async def test_a_snapshot_that_failed_gives_a_warning(
    server: RedisServer, redis: RedisClient, clock: RedisClock, tmp_path: Path
) -> None:
    blocked = tmp_path / "redis" / "dump.rdb"
    async with opened(server.url, clock) as engine:
        blocked.mkdir()
        redis.execute_command("BGSAVE")
        await until(lambda: failed(redis))
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(engine) == ["save_failed"])
        blocked.rmdir()
        redis.execute_command("SAVE")
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(engine) == [])


def failed(client: RedisClient) -> bool:
    return "err" in str(client.info("persistence")["rdb_last_bgsave_status"])


async def test_a_replica_gives_a_warning(server: RedisServer, redis: RedisClient, clock: RedisClock) -> None:
    async with opened(server.url, clock) as engine:
        redis.execute_command("REPLICAOF", "127.0.0.1", "1")
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(engine) == ["replica"])
        async with opened(server.url, clock) as started:
            assert kinds(started) == ["replica"]
        redis.execute_command("REPLICAOF", "NO", "ONE")
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(engine) == [])


async def test_a_redis_that_became_too_old_gives_a_warning(
    server: RedisServer, redis: RedisClient, clock: RedisClock
) -> None:
    async with Proxy(server.port) as proxy, opened(f"redis://127.0.0.1:{proxy.port}/0", clock) as engine:
        proxy.rewrite = lambda answer: re.sub(rb"(redis_version:)\d", rb"\g<1>5", answer)
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(engine) == ["too_old"])
        assert "needs Redis 6.2 or later" in sentence(engine)


async def test_a_redis_without_a_free_connection_gives_a_warning(
    server: RedisServer, redis: RedisClient, clock: RedisClock
) -> None:
    async with opened(server.url, clock) as engine:
        await changed(redis, {"maxclients": "8"})
        with ExitStack() as others:
            while int(str(redis.info("clients")["connected_clients"])) < 8:
                others.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            clock.advance(A_MINUTE_S)
            await until(lambda: kinds(engine) == ["connections"])
            assert "takes no more connections" in sentence(engine)
            await submit_one(engine, message(), durable=True)


async def test_each_primary_of_a_cluster_is_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if redis_program() is None:
        no_redis()
    with RedisCluster(tmp_path / "cluster") as cluster, cluster.nodes[2].client() as client:
        await changed(client, {"maxmemory_policy": "allkeys-lru"})
        clock = RedisClock([])
        async with opened(cluster.url, clock) as engine:
            assert kinds(engine) == ["evicts"]
            assert [vars(record)["engine"] for record in caplog.records] == [cluster.nodes[2].url]
            await changed(client, {"maxmemory_policy": "noeviction"})
            clock.advance(A_MINUTE_S)
            await until(lambda: kinds(engine) == [])


def losses(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    return [str(vars(record)["problem"]) for record in caplog.records if vars(record).get("kind") == "lost_data"]


async def test_a_redis_that_comes_back_empty_is_logged(
    server: RedisServer, redis: RedisClient, clock: RedisClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(server.url, clock) as one, opened(server.url, clock) as other:
        redis.flushall()
        server.kill()
        await until(lambda: "the engine is away" in caplog.text)
        server.start()
        await until(lambda: "lost_data" in kinds(one) + kinds(other))
        clock.advance(A_MINUTE_S)  # for one that found the new Redis where it expected the old
        await until(lambda: kinds(one) == kinds(other) == ["lost_data"])
        assert [record.levelno for record in caplog.records if vars(record).get("kind")] == 2 * [logging.ERROR]
        assert len({*losses(caplog)}) == 1
        assert "came back empty" in sentence(one)
        caplog.clear()
        async with opened(server.url, clock) as started:
            assert started.warnings() == one.warnings()
        assert [record.levelno for record in caplog.records if vars(record).get("kind")] == [logging.WARNING]
        redis.execute_command("HINCRBY", "zypher", "lost_at", -3_600_000)  # an hour later
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(one) == kinds(other) == [])


async def test_a_redis_that_comes_back_older_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(tmp_path / "redis", "--appendonly", "no") as server, server.client() as redis:
        clock = RedisClock([redis])
        async with opened(server.url, clock) as engine:
            redis.execute_command("SAVE")
            seen_at = redis.hget(b"zypher", "seen_at")
            clock.advance(A_MINUTE_S)
            await until(lambda: redis.hget(b"zypher", "seen_at") != seen_at)
            server.kill()
            await until(lambda: "the engine is away" in caplog.text)
            server.start()
            await until(lambda: "lost_data" in kinds(engine))
            (loss,) = losses(caplog)
            assert re.search(r"came back older: what happened in the \d s before may be lost", loss)


async def test_a_restart_that_keeps_everything_is_no_loss(
    server: RedisServer, clock: RedisClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with opened(server.url, clock) as engine:
        server.kill()
        await until(lambda: "the engine is away" in caplog.text)
        server.start()
        await until(lambda: "the engine is back" in caplog.text)
        clock.advance(A_MINUTE_S)
        await asyncio.sleep(0)
        await until(lambda: clock.pending)
        assert kinds(engine) == []
    assert losses(caplog) == []


async def test_a_date_that_goes_back_is_no_loss(server: RedisServer, redis: RedisClient, clock: RedisClock) -> None:
    redis.execute_command("HSET", "zypher", "format", "2", "seen_at", "9000000000000")
    async with opened(server.url, clock) as one, opened(server.url, clock) as other:
        clock.advance(A_MINUTE_S)
        async with opened(server.url, clock) as third:
            assert kinds(one) == kinds(other) == kinds(third) == []
    assert redis.hget(b"zypher", "seen_at") == b"9000000000000"


@pytest.mark.parametrize("wrong", [{"maxmemory_policy": "allkeys-lru"}, {"appendonly": "no"}])
async def test_an_engine_that_must_be_durable_refuses_otherwise(
    server: RedisServer, redis: RedisClient, clock: RedisClock, wrong: Values
) -> None:
    async with opened(server.url, clock, requires_durable=True) as engine:
        await changed(redis, wrong)
        clock.advance(A_MINUTE_S)
        await until(engine.warnings)
        refused = "--require-durable-engine refuses this engine: Redis"
        assert refused in str((await depth(engine)).problem)
        passing = message()
        with pytest.raises(EngineUnavailable, match=refused):
            await submit_one(engine, message(), durable=True)
        with pytest.raises(EngineUnavailable, match=refused):
            await engine.submit([Submission(message(), "key")], durable=False)
        await submit_one(engine, passing, durable=False)
        with pytest.raises(EngineUnavailable, match=refused):
            await engine.keep(passing)
        assert await settle_one(engine, await receive_one(engine), SUCCEEDED)
        with pytest.raises(EngineError, match=refused):
            async with opened(server.url, clock, requires_durable=True):
                pass
        await changed(redis, {"maxmemory_policy": "noeviction", "appendonly": "yes"})
        clock.advance(A_MINUTE_S)
        await until(lambda: kinds(engine) == [])
        await submit_one(engine, message(), durable=True)


async def test_other_warnings_refuse_nothing(server: RedisServer, redis: RedisClient, clock: RedisClock) -> None:
    await changed(redis, {"maxclients": "6"})
    async with opened(server.url, clock), opened(server.url, clock, requires_durable=True) as engine:
        assert kinds(engine) == ["connections"]
        await submit_one(engine, message(), durable=True)
