"""A Redis that is away, full, read-only, foreign or wrongly named: a sentence at once, and nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.phrases import (
    MODEL,
    SUCCEEDED,
    depth,
    get,
    message,
    receive_one,
    settle_one,
    submit_many,
    submit_one,
    turns,
)
from tests.redis_server import RedisServer, no_redis, own_redis, redis_program
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine
from zypher.errors import EngineError, EngineUnavailable, SettingsError
from zypher.model_card import ModelCard
from zypher.queue_state import WorkerState
from zypher.settings import EngineSettings

AT_ONCE_S = 0.5
BACK_S = 5.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    yield from own_redis(tmp_path)


def engine_at(url: str) -> Engine:
    return connect(EngineSettings(engine=url), SystemClock())


@pytest.fixture
async def engine(server: RedisServer) -> AsyncIterator[Engine]:
    engine = engine_at(server.url)
    await engine.open()
    yield engine
    await engine.close()


async def refusal(engine: Engine) -> str:
    """The message of a submission that is refused."""
    with pytest.raises(EngineUnavailable) as refused:
        await submit_one(engine, message(), durable=True)
    return str(refused.value)


async def accepted_again(engine: Engine) -> None:
    """Return once submissions are accepted."""
    async with asyncio.timeout(BACK_S):
        while True:
            try:
                await submit_one(engine, message(), durable=True)
            except EngineUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def test_without_redis_submissions_fail_and_settles_wait(engine: Engine, server: RedisServer) -> None:
    ids = await submit_many(engine, 3)
    delivery = await receive_one(engine)
    waiter = asyncio.create_task(engine.get(ids[0], None))
    await turns(1)
    await get(engine, ids[0])  # answered after the waiter's first look
    server.kill()
    settle = asyncio.create_task(settle_one(engine, delivery, SUCCEEDED))
    async with asyncio.timeout(AT_ONCE_S):
        for _ in range(10):
            assert "cannot be reached" in await refusal(engine)
    assert not settle.done()
    server.start()
    async with asyncio.timeout(BACK_S):
        assert await settle
        ended = await waiter
    assert ended is not None
    assert ended.outcome == SUCCEEDED
    await accepted_again(engine)
    assert (await receive_one(engine)).message.prediction_id == ids[1]


async def test_a_redis_that_does_not_answer_is_away(engine: Engine, server: RedisServer) -> None:
    await submit_many(engine, 1)
    with server.frozen():
        async with asyncio.timeout(4):
            await refusal(engine)
        async with asyncio.timeout(AT_ONCE_S):
            for _ in range(10):
                assert "cannot be reached" in await refusal(engine)
    await accepted_again(engine)


@pytest.mark.parametrize("settled_after_s", [0.0, 0.8])
async def test_a_lease_outlasts_an_outage_longer_than_itself(server: RedisServer, settled_after_s: float) -> None:
    engine = connect(EngineSettings(engine=server.url, lease_s=1), SystemClock())
    await engine.open()
    try:
        (prediction_id,) = await submit_many(engine, 1)
        delivery = await receive_one(engine)
        server.kill()
        await asyncio.sleep(2)  # nobody could extend it
        server.start()
        if settled_after_s:  # the sweep has begun the lease anew
            await accepted_again(engine)
            await asyncio.sleep(settled_after_s)
        async with asyncio.timeout(BACK_S):
            assert await settle_one(engine, delivery, SUCCEEDED)
        assert (await get(engine, prediction_id)).outcome == SUCCEEDED
    finally:
        await engine.close()


async def test_lost_scripts_are_loaded_into_redis_again(engine: Engine, server: RedisServer) -> None:
    with server.client() as client:
        client.execute_command("SCRIPT", "FLUSH")
    (prediction_id,) = await submit_many(engine, 1)
    assert await settle_one(engine, await receive_one(engine), SUCCEEDED)
    assert (await get(engine, prediction_id)).outcome == SUCCEEDED


@pytest.mark.parametrize(
    ("trouble", "remedy", "reason"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"), "Redis is full; raise"),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "read-only replica; name the primary"),
        (("CONFIG", "SET", "min-replicas-to-write", "1"), ("CONFIG", "SET", "min-replicas-to-write", "0"), "replicas"),
    ],
)
async def test_a_temporary_redis_error_is_reported(
    engine: Engine, server: RedisServer, trouble: tuple[str, ...], remedy: tuple[str, ...], reason: str
) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    delivery = await receive_one(engine)
    with server.client() as client:
        client.execute_command(*trouble)
        assert reason in await refusal(engine)
        settle = asyncio.create_task(settle_one(engine, delivery, SUCCEEDED))
        client.execute_command(*remedy)
    async with asyncio.timeout(BACK_S):
        assert await settle
    assert (await get(engine, prediction_id)).outcome == SUCCEEDED
    await accepted_again(engine)
    async with asyncio.timeout(BACK_S):
        while (await depth(engine)).problem is not None:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("zypher", ("SET", "zypher", "mine"), "not one of zypher's; it was left as it is"),
        ("zypher", ("HSET", "zypher", "mine", "1"), "not one of zypher's; it was left as it is"),
        ("zypher", ("HSET", "zypher", "format", "3"), "newer version of zypher"),
    ],
)
async def test_other_and_newer_data_is_left_alone(
    server: RedisServer, key: str, content: tuple[str, ...], reason: str
) -> None:
    with server.client() as client:
        client.execute_command(*content)
        before = client.execute_command("DUMP", key)
        with pytest.raises(EngineError, match=reason):
            await engine_at(server.url).open()
        assert client.execute_command("DUMP", key) == before
    other = engine_at(f"{server.url}?prefix=other")
    await other.open()
    await other.close()


async def test_a_key_of_another_type_is_reported(engine: Engine, server: RedisServer) -> None:
    with server.client() as client:
        client.execute_command("SET", f"{{zypher:{MODEL}}}:stream", "mine")
        assert "choose another with ?prefix=NAME" in await refusal(engine)


async def test_a_wrong_password_is_reported_at_the_start(tmp_path: Path) -> None:
    if redis_program() is None:
        no_redis()
    with RedisServer(tmp_path / "redis", password="secret") as server:
        for url, reason in (
            (server.url.replace("secret", "wrong"), "does not know this user and password"),
            (server.url.replace(":secret@", ""), "asks for a password"),
        ):
            with pytest.raises(EngineError, match=reason) as refused:
                await engine_at(url).open()
            assert "wrong" not in str(refused.value)
        right = engine_at(server.url)
        await right.open()
        await right.close()


async def test_a_wrong_address_is_reported_at_the_start(server: RedisServer) -> None:
    with pytest.raises(EngineError, match="no such database"):
        await engine_at(server.url.replace("/0", "/99")).open()
    gone = server.url
    server.stop()
    with pytest.raises(EngineError, match=r"cannot be reached .*; start it, or correct the engine's URL"):
        await engine_at(gone).open()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgres://localhost", "No engine is called 'postgres'"),
        ("redis", "No engine is called 'redis'|names no Redis"),
        ("redis://", "names no Redis"),
        ("redis://localhost:x", "URL is wrong"),
        ("redis://localhost/name", "must be a port and a database's number"),
        ("redis://me:hush#hush@localhost", "URL is wrong"),
        ("redis://me:hu/hush@localhost:6379/0", "URL is wrong"),
        ("redis://me:hu?hush@localhost:6379/0", "URL is wrong|sets hush"),
        ("redis:me:hush@localhost", "URL is wrong"),
        ("me:hush@localhost", "URL is wrong"),
        ("redis://localhost?db=hush", "db to something that is no number"),
        ("redis://localhost?ssl_ca_certs=ca.pem", "TLS only; write rediss://"),
        ("rediss://localhost?ssl_ca_certs=/no/such/ca.pem", "there is no such file"),
        ("rediss://localhost?ssl_cert_reqs=perhaps", "must be one of required, optional, none"),
        ("rediss://localhost?ssl_magic=1", "sets ssl_magic, which it cannot"),
        ("unix://", "names no Redis"),
        ("redis://localhost?prefix={x}", "prefix must be"),
        ("redis://localhost?timeout=3", "sets timeout, which it cannot"),
    ],
)
def test_an_invalid_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as refused:
        engine_at(url)
    assert "hush" not in str(refused.value)


def known(model: str = MODEL) -> WorkerState:
    return WorkerState("w", model, ModelCard(model, "", {"type": "string"}, {}, {}, 1), 1, 1, 1)


async def test_a_worker_of_an_earlier_version_is_read(server: RedisServer, engine: Engine) -> None:
    await engine.announce(known())
    with server.client() as client:
        client.execute_command("DEL", f"{{zypher:{MODEL}}}:card")
        client.execute_command("HDEL", f"{{zypher:{MODEL}}}:workers", "w:card")
        client.execute_command("HSET", f"{{zypher:{MODEL}}}:workers", "w:schemas", "a digest of then")
    before = await depth(engine)
    assert (before.card, before.workers) == (None, (known(),))
    await engine.announce(known())
    assert (await depth(engine)).card == known().card


async def test_an_unreadable_card_harms_nothing_else(
    server: RedisServer, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    for model in (MODEL, "other"):
        await engine.announce(known(model))
    with server.client() as client:
        client.execute_command("SET", f"{{zypher:{MODEL}}}:card", b"\xc1")
    queues = await engine.queues()
    assert (queues[MODEL].card, queues["other"].card) == (None, known("other").card)
    assert queues[MODEL].workers == (known(),)
    assert "a model's card in Redis cannot be read" in caplog.text


async def test_a_lost_card_returns_with_the_next_announcement(server: RedisServer, engine: Engine) -> None:
    await engine.announce(known())
    with server.client() as client:
        client.execute_command("DEL", f"{{zypher:{MODEL}}}:card")
    await engine.announce(known())
    assert (await depth(engine)).card == known().card
