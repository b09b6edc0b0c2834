"""What scripts write is what the shared code of all engines says."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.phrases import MODEL, SUCCEEDED, get, message, receive_one, settle_one, submit_one
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine
from zypher.engines.stored import notice_of
from zypher.prediction import Lane, Options
from zypher.settings import EngineSettings


@pytest.fixture
async def engine(redis: RedisClient, server: RedisServer) -> AsyncIterator[Engine]:
    engine = connect(EngineSettings(engine=server.url), SystemClock())
    await engine.open()
    yield engine
    await engine.close()


async def test_a_notice_is_the_message_of_all_engines(engine: Engine) -> None:
    sent = message(options=Options(notify=True))
    await submit_one(engine, sent, durable=True)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    (notice,) = await engine.receive(MODEL, 10, 1, (Lane.WEBHOOKS,))
    ended_at = (await get(engine, sent.prediction_id)).finished_at
    assert ended_at is not None
    _, _, number = notice.message.prediction_id.partition("-")
    assert notice.message == notice_of(sent.prediction_id, MODEL, ended_at, int(number))
    assert (await get(engine, notice.message.prediction_id)).options == notice.message.options


async def test_a_notice_outlives_its_prediction(engine: Engine, redis: RedisClient) -> None:
    sent = message(options=Options(notify=True))
    await submit_one(engine, sent, durable=True)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    redis.execute_command("DEL", f"{{zypher:{MODEL}}}:p:{sent.prediction_id}")
    (notice,) = await engine.receive(MODEL, 10, 1, (Lane.WEBHOOKS,))
    assert await settle_one(engine, notice, SUCCEEDED)
