"""Masters that die, freeze, are cut off or step down: the engine follows, and what was copied is there."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path

import pytest

from tests.chaos.proxy import Proxy
from tests.contract.phrases import SUCCEEDED, get, message, receive_one, settle_one, submit_many, submit_one
from tests.redis_sentinel import RedisPair, RedisSentinels
from tests.redis_server import RedisServer, no_redis, redis_program
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine
from zypher.errors import EngineError, EngineUnavailable
from zypher.settings import EngineSettings

DROPPED_S = 1.0
FOLLOWED_S = 3.0
SWITCHED_S = 15.0
SWITCHED = "another Redis is the master now; what the one before had not copied is lost"

End = Callable[[RedisSentinels, RedisPair], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def a_redis() -> None:
    if redis_program() is None:
        no_redis()


@pytest.fixture
def one(tmp_path: Path) -> Iterator[RedisSentinels]:
    with RedisSentinels(tmp_path, number=1) as sentinels:
        yield sentinels


@asynccontextmanager
async def engine_at(url: str, wait_replicas: int = 0) -> AsyncGenerator[Engine]:
    engine = connect(EngineSettings(engine=url, redis_wait_replicas=wait_replicas), SystemClock())
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


async def turned_away(url: str) -> str:
    with pytest.raises(EngineError) as refused:
        await connect(EngineSettings(engine=url), SystemClock()).open()
    assert "hush" not in str(refused.value)
    return str(refused.value)


async def accepted_again(engine: Engine) -> float:
    """When a submission is accepted."""
    async with asyncio.timeout(SWITCHED_S):
        while not await is_accepted(engine):
            await asyncio.sleep(0.02)
    return time.time()


async def is_accepted(engine: Engine) -> bool:
    try:
        await submit_one(engine, message(), durable=True)
    except EngineUnavailable:
        return False
    return True


async def time_of(switched: Callable[[], bool]) -> float:
    """When a sentinel published the failover."""
    async with asyncio.timeout(SWITCHED_S):
        while not switched():
            await asyncio.sleep(0.005)
    return time.time()


def kill(_: RedisSentinels, pair: RedisPair) -> AbstractContextManager[None]:
    pair.first.kill()
    return nullcontext()


def freeze(_: RedisSentinels, pair: RedisPair) -> AbstractContextManager[None]:
    return pair.first.frozen()


def step_down(sentinels: RedisSentinels, pair: RedisPair) -> AbstractContextManager[None]:
    sentinels.fail_over(pair.name)
    return nullcontext()


@pytest.mark.parametrize(("number", "end"), [(3, kill), (1, freeze), (1, step_down)])
async def test_another_master_is_followed_at_once(
    tmp_path: Path, number: int, end: End, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with RedisSentinels(tmp_path, number) as sentinels, sentinels.pair("pair") as pair:
        async with engine_at(sentinels.url("pair")) as engine:
            ids = await submit_many(engine, 3)
            delivery = await receive_one(engine)
            pair.wait_copied()
            with sentinels.switches() as switched, end(sentinels, pair):
                told_at = await time_of(switched)
                assert await accepted_again(engine) - told_at < FOLLOWED_S
                assert await settle_one(engine, delivery, SUCCEEDED)
            assert (await get(engine, ids[0])).outcome == SUCCEEDED
            assert (await receive_one(engine)).message.prediction_id == ids[1]
    (dropped,) = [record for record in caplog.records if record.getMessage() == SWITCHED]
    assert dropped.created - told_at < DROPPED_S
    assert "bytes not copied" in vars(dropped)["last_seen"]


async def test_what_waits_for_an_end_sees_it_after_a_failover(one: RedisSentinels) -> None:
    with one.pair("pair") as pair:
        async with engine_at(one.url("pair")) as engine, engine_at(one.url("pair")) as worker:
            (prediction_id,) = await submit_many(engine, 1)
            delivery = await receive_one(worker)
            pair.wait_copied()
            waiter = asyncio.create_task(engine.get(prediction_id, 30))
            await asyncio.sleep(0)
            await get(engine, prediction_id)  # answered after the waiter's first look
            pair.first.kill()
            await accepted_again(engine)
            assert await settle_one(worker, delivery, SUCCEEDED)
            ended = await waiter
    assert ended is not None
    assert ended.outcome == SUCCEEDED


async def test_a_dead_master_that_comes_back_is_not_used(one: RedisSentinels) -> None:
    with one.pair("pair") as pair:
        async with engine_at(one.url("pair")) as engine:
            pair.first.kill()
            await accepted_again(engine)
            pair.first.start()
            ids = await submit_many(engine, 20)
            assert pair.second.info("replication", "role") == "master"
            assert [await get(engine, each) for each in ids]


async def test_a_replica_that_a_sentinel_names_is_not_used(one: RedisSentinels) -> None:
    with one.pair("pair") as pair:
        async with Proxy(one.sentinels[0].port) as proxy:
            master, replica = (b"%d" % each.port for each in (pair.first, pair.second))
            proxy.rewrite = lambda answer: answer.replace(master, replica)
            reason = await turned_away(f"redis+sentinel://127.0.0.1:{proxy.port}/0?master=pair")
    assert "the server that the sentinels name is not the master" in reason


async def test_without_sentinels_the_master_is_used_on(one: RedisSentinels, caplog: pytest.LogCaptureFixture) -> None:
    with one.pair("pair") as pair:
        async with engine_at(one.url("pair")) as engine:
            one.sentinels[0].kill()
            async with asyncio.timeout(SWITCHED_S):
                while "the sentinels are away; a failover is not noticed" not in caplog.messages:
                    await submit_many(engine, 1)
                    await asyncio.sleep(0.1)
            pair.second.kill()
            await submit_many(engine, 1)


async def test_a_master_of_another_name_is_refused(one: RedisSentinels) -> None:
    with one.pair("pair"):
        assert "know no master of that name; correct ?master=" in await turned_away(one.url("other"))


async def test_a_sentinel_in_place_of_a_redis_is_refused(one: RedisSentinels) -> None:
    reason = await turned_away(one.sentinels[0].url)
    assert reason == (
        f"This is a Sentinel: use redis+sentinel://127.0.0.1:{one.sentinels[0].port}/0?master=NAME, with the name of "
        "its master."
    )


async def test_a_redis_in_place_of_a_sentinel_is_refused(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        reason = await turned_away(f"redis+sentinel://127.0.0.1:{server.port}/0?master=pair")
    assert "no Sentinel at" in reason
    assert "begins with redis://" in reason


async def test_sentinels_that_are_away_are_a_clear_refusal(one: RedisSentinels) -> None:
    one.sentinels[0].kill()
    assert "No sentinel of redis+sentinel://127.0.0.1" in await turned_away(one.url("pair"))


async def test_sentinels_and_servers_have_passwords_of_their_own(tmp_path: Path) -> None:
    with (
        RedisSentinels(tmp_path, number=1, password="hush1") as sentinels,
        sentinels.pair("pair", password="hush2") as pair,
    ):
        url = sentinels.url("pair").replace("//", "//:hush2@")
        async with engine_at(f"{url}&sentinel_password=hush1") as engine:
            await submit_many(engine, 1)
        assert "correct sentinel_username and sentinel_password" in await turned_away(url)
        assert "correct sentinel_username" in await turned_away(f"{url}&sentinel_password=hush3")
        wrong = url.replace("hush2", "hush3") + "&sentinel_password=hush1"
        assert "does not know this user and password" in await turned_away(wrong)
        assert pair.second.info("replication", "role") == "slave"
