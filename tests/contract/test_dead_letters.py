"""What an engine promises of predictions that lost all their replicas."""

import asyncio

import pytest

from tests.contract.conftest import RETENTION_S, OpenEngine, reopens
from tests.contract.phrases import (
    FAILED,
    LOST,
    MODEL,
    SUCCEEDED,
    depth,
    get,
    message,
    models,
    receive_ids,
    receive_one,
    settle_one,
    status,
    submit_one,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.errors import QueueFull
from zypher.prediction import Message, Status


async def make_dead(engine: Engine, sent: Message | None = None, key: str | None = None) -> Message:
    """Submit a prediction that loses all its replicas."""
    sent = sent or message()
    await submit_one(engine, sent, durable=True, idempotency_key=key)
    assert await settle_one(engine, await receive_one(engine, sent.model), LOST)
    return sent


async def dead_ids(engine: Engine, limit: int = 100) -> list[str]:
    return [prediction.prediction_id for prediction in await engine.dead(MODEL, limit)]


async def test_only_what_lost_its_replicas_is_dead(engine: Engine, clock: FakeClock) -> None:
    await submit_one(engine, message(), durable=True)
    await settle_one(engine, await receive_one(engine), FAILED)
    await submit_one(engine, message(), durable=False)
    await settle_one(engine, await receive_one(engine), LOST)
    dead: list[Message] = []
    for _ in range(3):
        dead.append(await make_dead(engine))
        clock.advance(1)
    assert await dead_ids(engine) == [each.prediction_id for each in dead]
    assert await dead_ids(engine, limit=2) == [each.prediction_id for each in dead[:2]]
    assert await engine.dead("other", 10) == []
    assert (await engine.dead(MODEL, 1))[0] == await engine.get(dead[0].prediction_id)
    assert (await depth(engine)).dead == 3
    assert await models(engine) == [MODEL]


@reopens
async def test_a_dead_letter_runs_again_as_if_it_were_new(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    sent = await make_dead(engine, message(b' {"x": 1}'))
    other = message()
    await submit_one(engine, other, durable=True)
    assert await engine.replay(sent.prediction_id)
    seen = await get(engine, sent.prediction_id)
    assert (seen.status, seen.attempt, seen.outcome, seen.durable) == (Status.QUEUED, 0, None, True)
    assert await dead_ids(engine) == []
    await engine.close()
    engine = await open_engine()
    deliveries = [await receive_one(engine), await receive_one(engine)]
    (again,) = [each for each in deliveries if each.message.prediction_id == sent.prediction_id]
    assert (again.message, again.attempt) == (sent, 1)
    assert await settle_one(engine, again, SUCCEEDED)
    assert (await get(engine, sent.prediction_id)).outcome == SUCCEEDED
    assert not await engine.replay(sent.prediction_id)


async def test_a_replayed_prediction_queues_last_and_may_die_again(engine: Engine) -> None:
    sent, other = await make_dead(engine), message()
    await submit_one(engine, other, durable=True)
    await engine.replay(sent.prediction_id)
    assert await receive_ids(engine, limit=1) == [other.prediction_id, sent.prediction_id]


async def test_a_waiter_gets_the_result_of_a_replay(engine: Engine) -> None:
    sent = await make_dead(engine)
    await engine.replay(sent.prediction_id)
    waiter = asyncio.create_task(engine.get(sent.prediction_id, None))
    await settle_one(engine, await receive_one(engine), LOST)
    told = await waiter
    assert told is not None
    assert told.outcome == LOST
    assert await dead_ids(engine) == [sent.prediction_id]


async def test_what_is_not_dead_is_neither_replayed_nor_purged(engine: Engine) -> None:
    queued, failed = message(), message()
    await submit_one(engine, failed, durable=True)
    await settle_one(engine, await receive_one(engine), FAILED)
    await submit_one(engine, queued, durable=True)
    for prediction_id in (queued.prediction_id, failed.prediction_id, "unknown"):
        assert not await engine.replay(prediction_id)
        assert not await engine.purge(prediction_id)
    assert await receive_ids(engine) == [queued.prediction_id]


@reopens
async def test_a_purged_dead_letter_is_forgotten_with_its_key(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    sent = await make_dead(engine, key="key")
    assert await engine.purge(sent.prediction_id)
    assert not await engine.purge(sent.prediction_id)
    assert await engine.get(sent.prediction_id) is None
    assert await dead_ids(engine) == []
    fresh = message(b"2")
    assert (await submit_one(engine, fresh, durable=True, idempotency_key="key")).prediction_id == fresh.prediction_id
    await engine.close()
    engine = await open_engine()
    assert await engine.get(sent.prediction_id) is None


async def test_of_a_replay_and_a_purge_at_once_one_happens(engine: Engine) -> None:
    for first, second in ((engine.replay, engine.purge), (engine.purge, engine.replay)):
        sent = await make_dead(engine)
        told = await asyncio.gather(*(call(sent.prediction_id) for call in (first, second, first, second)))
        assert sum(told) == 1
        assert await dead_ids(engine) == []
        seen = await engine.get(sent.prediction_id)
        assert await receive_ids(engine) == ([] if seen is None else [sent.prediction_id])


async def test_a_replay_needs_room(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=1)
    sent = await make_dead(engine)
    await submit_one(engine, message(), durable=True)
    with pytest.raises(QueueFull, match="1 predictions wait for model"):
        await engine.replay(sent.prediction_id)
    assert await dead_ids(engine) == [sent.prediction_id]
    assert await status(engine, sent.prediction_id) is Status.FAILED


@reopens
async def test_dead_letters_survive_a_restart_until_their_retention_is_over(
    open_engine: OpenEngine, clock: FakeClock
) -> None:
    engine = await open_engine()
    sent = await make_dead(engine)
    await engine.close()
    engine = await open_engine()
    clock.advance(RETENTION_S - 1)
    assert await dead_ids(engine) == [sent.prediction_id]
    clock.advance(1)
    assert await dead_ids(engine) == []
    assert (await depth(engine)).dead == 0
    assert not await engine.replay(sent.prediction_id)
    assert await models(engine) == []


@pytest.mark.parametrize("calls", [1, 3])
async def test_a_prediction_made_durable_after_it_died_is_dead(engine: Engine, calls: int) -> None:
    sent = message()
    await submit_one(engine, sent, durable=False)
    await settle_one(engine, await receive_one(engine), LOST)
    await asyncio.gather(*(engine.keep(sent) for _ in range(calls)))
    assert await dead_ids(engine) == [sent.prediction_id]
    assert await engine.replay(sent.prediction_id)
    assert (await receive_one(engine)).message == sent


@pytest.mark.parametrize("limit", [0, -1])
async def test_no_dead_letters_are_listed_where_none_may_be(engine: Engine, limit: int) -> None:
    await submit_one(engine, message(), durable=True)
    await settle_one(engine, await receive_one(engine), LOST)
    assert await engine.dead(MODEL, limit) == []
