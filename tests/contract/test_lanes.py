"""Lanes, deadlines, pauses: what is handed out, in which order, and what never is."""

import asyncio
from datetime import timedelta

import pytest

from tests.contract.conftest import LEASE_S, OpenEngine, both_kinds, reopens
from tests.contract.phrases import (
    LOST,
    MODEL,
    SUCCEEDED,
    depth,
    get,
    message,
    receive_ids,
    receive_one,
    settle_one,
    status,
    submit_many,
    submit_one,
    turns,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.errors import QueueFull
from zypher.prediction import PRIORITIES, Cancellation, Lane, Options, Status

HIGH, NORMAL, LOW = (Options(lane=lane) for lane in PRIORITIES)


async def submit_each(engine: Engine, *options: Options, durable: bool = True) -> list[str]:
    return [(await submit_one(engine, message(options=each), durable=durable)).prediction_id for each in options]


@both_kinds
async def test_the_first_lane_is_received_first(engine: Engine, durable: bool) -> None:
    low, normal, high, second = await submit_each(engine, LOW, NORMAL, HIGH, HIGH, durable=durable)
    assert [(await get(engine, each)).position for each in (high, second, normal, low)] == [1, 2, 3, 4]
    assert await receive_ids(engine, limit=3) == [high, second, normal, low]


@both_kinds
async def test_the_caller_chooses_which_lane_is_first(engine: Engine, durable: bool) -> None:
    low, normal, high = await submit_each(engine, LOW, NORMAL, HIGH, durable=durable)
    received = await engine.receive(MODEL, 10, 0, (Lane.LOW, Lane.HIGH))
    assert [each.message.prediction_id for each in received] == [low, high]
    assert await receive_ids(engine) == [normal]


async def test_a_receiver_is_woken_by_its_lanes_alone(engine: Engine, clock: FakeClock) -> None:
    receiver = asyncio.create_task(engine.receive(MODEL, 1, 60, (Lane.HIGH,)))
    await turns()
    await submit_each(engine, LOW)
    clock.advance(1)
    await turns()
    assert not receiver.done()
    (high,) = await submit_each(engine, HIGH)
    assert [each.message.prediction_id for each in await receiver] == [high]


@both_kinds
async def test_a_released_prediction_keeps_its_place_in_its_lane(engine: Engine, durable: bool) -> None:
    low, high, second = await submit_each(engine, LOW, HIGH, HIGH, durable=durable)
    delivery = await receive_one(engine)
    assert delivery.message.prediction_id == high
    await engine.release(delivery, counted=False)
    assert await receive_ids(engine) == [high, second, low]


async def test_a_lost_lease_and_a_delay_keep_the_lane(engine: Engine, clock: FakeClock) -> None:
    low, high = await submit_each(engine, LOW, HIGH)
    await receive_one(engine)
    clock.advance(LEASE_S)
    await depth(engine)
    assert await receive_ids(engine, limit=1) == [high, low]
    clock.advance(LEASE_S)
    await depth(engine)
    await engine.release(await receive_one(engine), counted=True, delay_s=5)
    assert await receive_ids(engine) == [low]
    clock.advance(5)
    assert await receive_ids(engine) == [high]


@reopens
async def test_lanes_outlast_the_engine(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    low, normal, high = await submit_each(engine, LOW, NORMAL, HIGH)
    await engine.close()
    engine = await open_engine()
    assert (await depth(engine)).queued == 3
    assert await receive_ids(engine) == [high, normal, low]


async def test_all_lanes_share_the_limit_of_the_queue(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=3)
    await submit_each(engine, LOW, NORMAL, HIGH)
    with pytest.raises(QueueFull, match="3 predictions wait"):
        await submit_each(engine, HIGH)
    assert (await depth(engine)).queued == 3


async def test_predictions_of_every_lane_are_cancelled_and_replayed(engine: Engine) -> None:
    low, high = await submit_each(engine, LOW, HIGH)
    assert await engine.cancel(low) is Cancellation.ENDED
    await settle_one(engine, await receive_one(engine), LOST)
    assert await engine.replay(high)
    assert (await receive_one(engine)).message.options == HIGH


@both_kinds
async def test_what_is_queued_at_its_deadline_expires(engine: Engine, clock: FakeClock, durable: bool) -> None:
    late, plain = await submit_each(
        engine, Options(deadline=clock.now() + timedelta(seconds=10)), NORMAL, durable=durable
    )
    waiter = asyncio.create_task(engine.get(late, None))
    await turns()
    clock.advance(9)
    await turns()
    assert await status(engine, late) is Status.QUEUED
    clock.advance(2)
    ended = await waiter
    assert ended is not None
    assert (ended.status, ended.attempt) == (Status.EXPIRED, 0)
    assert await receive_ids(engine) == [plain]
    assert (await depth(engine)).queued == 0


@both_kinds
async def test_what_runs_at_its_deadline_goes_on(engine: Engine, clock: FakeClock, durable: bool) -> None:
    (prediction_id,) = await submit_each(engine, Options(deadline=clock.now() + timedelta(seconds=10)), durable=durable)
    delivery = await receive_one(engine)
    clock.advance(15)
    await turns()
    assert await status(engine, prediction_id) is Status.RUNNING
    assert await settle_one(engine, delivery, SUCCEEDED)


@both_kinds
async def test_what_is_released_after_its_deadline_expires(engine: Engine, clock: FakeClock, durable: bool) -> None:
    (prediction_id,) = await submit_each(engine, Options(deadline=clock.now() + timedelta(seconds=10)), durable=durable)
    delivery = await receive_one(engine)
    clock.advance(15)
    await turns()
    await engine.release(delivery, counted=True)
    clock.advance(1)
    ended = await engine.get(prediction_id, None)
    assert ended is not None
    assert ended.status is Status.EXPIRED
    assert await receive_ids(engine) == []


@reopens
async def test_a_deadline_outlasts_the_engine(open_engine: OpenEngine, clock: FakeClock) -> None:
    engine = await open_engine()
    deadline = clock.now() + timedelta(seconds=10)
    late, past = await submit_each(engine, Options(deadline=deadline), Options(deadline=deadline))
    await engine.close()
    engine = await open_engine()
    assert (await receive_one(engine)).message.options == Options(deadline=deadline)
    await engine.close()
    clock.advance(11)
    engine = await open_engine()
    for each in (late, past):
        ended = await engine.get(each, None)
        assert ended is not None
        assert ended.status is Status.EXPIRED
    assert await receive_ids(engine) == []


async def test_a_replay_has_no_deadline(engine: Engine, clock: FakeClock) -> None:
    (prediction_id,) = await submit_each(engine, Options(deadline=clock.now() + timedelta(seconds=10)))
    await settle_one(engine, await receive_one(engine), LOST)
    clock.advance(20)
    assert await engine.replay(prediction_id)
    clock.advance(2)
    await turns()
    assert (await receive_one(engine)).message.options == Options()


async def test_nothing_is_handed_out_of_a_paused_model(engine: Engine) -> None:
    await engine.pause(MODEL, paused=True)
    ids = await submit_many(engine, 2)
    assert await receive_ids(engine) == []
    other = await submit_one(engine, message(model="other"), durable=True)
    assert await receive_ids(engine, model="other") == [other.prediction_id]
    assert ((await depth(engine)).paused, (await depth(engine, "other")).paused) == (True, False)
    receiver = asyncio.create_task(engine.receive(MODEL, 10, 60))
    await turns()
    assert not receiver.done()
    await engine.pause(MODEL, paused=False)
    received = [each.message.prediction_id for each in await receiver]
    assert received + await receive_ids(engine) == ids
    assert not (await depth(engine)).paused


async def test_what_runs_when_its_model_is_paused_goes_on(engine: Engine, clock: FakeClock) -> None:
    await submit_many(engine, 2)
    first, second = await engine.receive(MODEL, 2, 0)
    await engine.pause(MODEL, paused=True)
    assert await settle_one(engine, first, SUCCEEDED)
    assert await engine.release(second, counted=False)
    clock.advance(1)
    assert await receive_ids(engine) == []
    await engine.pause(MODEL, paused=False)
    assert await receive_ids(engine) == [second.message.prediction_id]


@reopens
async def test_a_pause_outlasts_the_engine(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    await engine.pause(MODEL, paused=True)
    (prediction_id,) = await submit_many(engine, 1)
    await engine.close()
    engine = await open_engine()
    assert (await depth(engine)).paused
    assert await receive_ids(engine) == []
    await engine.pause(MODEL, paused=False)
    assert await receive_ids(engine) == [prediction_id]
