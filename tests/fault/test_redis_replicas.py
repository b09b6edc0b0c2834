"""`redis_wait_replicas`: what is accepted was copied, or it was refused; nothing else waits for copies."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.phrases import SUCCEEDED, get, message, receive_one, settle_one, submit_many, submit_one
from tests.redis_cluster import RedisCluster
from tests.redis_sentinel import RedisPair
from tests.redis_server import no_redis, redis_program
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine, Submission
from zypher.errors import EngineUnavailable, SettingsError
from zypher.prediction import Delivery
from zypher.settings import EngineSettings

AT_ONCE_S = 0.5


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[RedisPair]:
    if redis_program() is None:
        no_redis()
    with RedisPair(tmp_path, "pair") as pair:
        yield pair


@pytest.fixture
async def engine(pair: RedisPair) -> AsyncIterator[Engine]:
    engine = connect(EngineSettings(engine=pair.first.url, redis_wait_replicas=1), SystemClock())
    await engine.open()
    yield engine
    await engine.close()


async def refusals(engine: Engine, number: int) -> list[str]:
    """The messages of so many submissions, all of which are refused."""
    asked = (submit_one(engine, message(), durable=True) for _ in range(number))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in answers] == [EngineUnavailable] * number
    return [str(each) for each in answers]


async def test_what_is_accepted_is_in_the_replica(engine: Engine, pair: RedisPair) -> None:
    for _ in range(20):
        ids = await submit_many(engine, 10)
        with pair.second.client() as client:
            assert client.exists(*(f"{{zypher:model}}:p:{each}" for each in ids)) == len(ids)


async def test_without_enough_copies_all_of_a_batch_are_refused_together(engine: Engine, pair: RedisPair) -> None:
    with pair.second.frozen():
        began = time.monotonic()
        for reason in await refusals(engine, 50):
            assert reason.startswith("Redis has copied this to 0 replicas within a second, and 1 must have it")
            assert "send it again with its idempotency key" in reason
        assert time.monotonic() - began < 1 + AT_ONCE_S


async def test_a_refused_submission_is_one_prediction_when_sent_again(engine: Engine, pair: RedisPair) -> None:
    submission = Submission(message(), idempotency_key="key")
    with pair.second.frozen(), pytest.raises(EngineUnavailable):
        await engine.submit([submission], durable=True)
    (accepted,) = await engine.submit([Submission(message(), idempotency_key="key")], durable=True)
    assert accepted.prediction_id == submission.message.prediction_id


async def test_what_is_found_there_is_copied_before_it_is_answered(engine: Engine, pair: RedisPair) -> None:
    other = connect(EngineSettings(engine=pair.first.url), SystemClock())
    await other.open()
    try:
        sent = message()
        with pair.second.frozen():
            await submit_one(other, sent, durable=True)
            with pytest.raises(EngineUnavailable, match="within a second"):
                await submit_one(engine, sent, durable=True)
    finally:
        await other.close()


async def test_while_copies_are_awaited_deliveries_go_on(engine: Engine, pair: RedisPair) -> None:
    await submit_many(engine, 3)
    delivery = await receive_one(engine)
    with pair.second.frozen():
        waiting = asyncio.create_task(refusals(engine, 1))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(AT_ONCE_S):
            await engine.extend([delivery])
            other = await receive_one(engine)
            assert await settle_one(engine, other, SUCCEEDED)
        assert not waiting.done()
        await waiting


async def test_an_end_is_shown_once_it_is_copied(engine: Engine, pair: RedisPair) -> None:
    await submit_many(engine, 1)
    delivery: Delivery = await receive_one(engine)
    with pair.second.frozen():
        assert await settle_one(engine, delivery, SUCCEEDED)
        with pytest.raises(EngineUnavailable, match="within a second"):
            await engine.get(delivery.message.prediction_id)
    assert (await get(engine, delivery.message.prediction_id)).outcome == SUCCEEDED


async def test_who_waits_for_an_answer_waits_for_no_copy(engine: Engine, pair: RedisPair) -> None:
    sent = message()
    with pair.second.frozen():
        async with asyncio.timeout(AT_ONCE_S):
            await submit_one(engine, sent, durable=False)
            assert await settle_one(engine, await receive_one(engine), SUCCEEDED)
            assert (await get(engine, sent.prediction_id)).outcome == SUCCEEDED
        with pytest.raises(EngineUnavailable, match="within a second"):
            await engine.keep(sent)


async def test_each_node_of_a_cluster_waits_for_its_own_replicas(tmp_path: Path) -> None:
    with RedisCluster(tmp_path) as cluster:
        engine = connect(EngineSettings(engine=cluster.url, redis_wait_replicas=1), SystemClock())
        await engine.open()
        try:
            await asyncio.gather(*(refusals(engine, 2) for _ in range(3)))
        finally:
            await engine.close()


@pytest.mark.parametrize("engine", ["embedded", "memory"])
def test_an_engine_without_replicas_refuses_to_wait_for_them(engine: str, tmp_path: Path) -> None:
    settings = EngineSettings(engine=engine, data_dir=tmp_path, redis_wait_replicas=1)
    with pytest.raises(SettingsError, match=f"for an engine on Redis, and this one is {engine}, which has no replicas"):
        connect(settings, SystemClock())
