"""An answer of Redis that never arrives: the command was done, and must not happen twice or be lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TypeVar

import pytest

from tests.chaos.proxy import Proxy
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
)
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine
from zypher.errors import EngineUnavailable
from zypher.settings import EngineSettings

BACK_S = 5.0
STREAM = f"{{zypher:{MODEL}}}:stream"
RETURNED = f"{{zypher:{MODEL}}}:returned"

Answer = TypeVar("Answer")


@pytest.fixture
async def proxy(server: RedisServer, redis: RedisClient) -> AsyncIterator[Proxy]:
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def engine(proxy: Proxy) -> AsyncIterator[Engine]:
    engine = connect(EngineSettings(engine=f"redis://127.0.0.1:{proxy.port}/0"), SystemClock())
    await engine.open()
    await load_scripts(engine)
    yield engine
    await engine.close()


async def load_scripts(engine: Engine) -> None:
    """Run each script once: one that Redis lacks is sent twice."""
    await submit_one(engine, message(model="other"), durable=True)
    await engine.release(await receive_one(engine, "other"), counted=False)
    await settle_one(engine, await receive_one(engine, "other"), SUCCEEDED)
    await engine.queues("other")


async def happened(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(BACK_S):
        while not condition():
            await asyncio.sleep(0.01)


async def without_answer(
    proxy: Proxy, call: Coroutine[None, None, Answer], condition: Callable[[], object]
) -> "asyncio.Task[Answer]":
    """Begin the call; once `condition` holds the connection ends without the answer."""
    proxy.swallowing = True
    task = asyncio.create_task(call)
    await happened(condition)
    await proxy.cut()
    proxy.swallowing = False
    return task


def leases(redis: RedisClient) -> list[dict[str, bytes | int]]:
    return redis.xpending_range(STREAM, "workers", "-", "+", 10)


async def back(engine: Engine) -> None:
    """Return once Redis answers again."""
    async with asyncio.timeout(BACK_S):
        while True:
            try:
                await engine.queues(MODEL)
            except EngineUnavailable:
                await asyncio.sleep(0.01)
            else:
                return


@pytest.mark.parametrize("key", [None, "key"])
async def test_a_submit_that_is_sent_again_is_one_prediction(
    engine: Engine, proxy: Proxy, redis: RedisClient, key: str | None
) -> None:
    sent = message()
    await engine.queues(MODEL)
    submit = submit_one(engine, sent, durable=True, idempotency_key=key)
    with pytest.raises(EngineUnavailable):
        await (await without_answer(proxy, submit, lambda: redis.exists(STREAM)))
    await back(engine)
    again = await submit_one(engine, message() if key else sent, durable=True, idempotency_key=key)
    assert again.prediction_id == sent.prediction_id
    assert (await depth(engine)).queued == 1


async def test_only_the_first_settle_counts(engine: Engine, proxy: Proxy, redis: RedisClient) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    settle = settle_one(engine, await receive_one(engine), SUCCEEDED)
    task = await without_answer(proxy, settle, lambda: redis.xlen(STREAM) == 0)
    async with asyncio.timeout(BACK_S):
        assert await task
    assert (await get(engine, prediction_id)).outcome == SUCCEEDED


async def test_a_lost_delivery_is_queued_again_uncharged(engine: Engine, proxy: Proxy, redis: RedisClient) -> None:
    ids = await submit_many(engine, 3)
    with pytest.raises(EngineUnavailable):
        await (await without_answer(proxy, engine.receive(MODEL, 2, 0), lambda: leases(redis)))
    await back(engine)
    await happened(lambda: not leases(redis))
    received = await engine.receive(MODEL, 3, 0)
    assert [(each.message.prediction_id, each.attempt) for each in received] == [(each, 1) for each in ids]


async def test_a_receiver_that_left_before_the_answer_keeps_nothing(
    engine: Engine, proxy: Proxy, redis: RedisClient
) -> None:
    ids = await submit_many(engine, 1)
    proxy.swallowing = True
    receiver = asyncio.create_task(engine.receive(MODEL, 1, 60))
    await happened(lambda: leases(redis))
    receiver.cancel()
    await asyncio.wait([receiver])
    await proxy.cut()
    proxy.swallowing = False
    await back(engine)
    delivery = await receive_one(engine)
    assert (delivery.message.prediction_id, delivery.attempt) == (ids[0], 1)


async def test_a_release_happened(engine: Engine, proxy: Proxy, redis: RedisClient) -> None:
    await submit_many(engine, 1)
    delivery = await receive_one(engine)
    release = engine.release(delivery, counted=True)
    with pytest.raises(EngineUnavailable):
        await (await without_answer(proxy, release, lambda: redis.exists(RETURNED)))
    await back(engine)
    assert not await engine.release(delivery, counted=True)
    assert (await receive_one(engine)).attempt == 2


async def test_a_waiter_gets_the_result_after_a_reconnect(engine: Engine, proxy: Proxy) -> None:
    sent = message()
    await submit_one(engine, sent, durable=False)
    waiter = asyncio.create_task(engine.get(sent.prediction_id, None))
    delivery = await receive_one(engine)
    await proxy.cut()
    async with asyncio.timeout(BACK_S):
        assert await settle_one(engine, delivery, SUCCEEDED)
        ended = await waiter
    assert ended is not None
    assert ended.outcome == SUCCEEDED
