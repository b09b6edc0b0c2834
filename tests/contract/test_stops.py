"""Attempts that are to end before their time: cancelled, or their lease lost."""

import asyncio

import pytest

from tests.contract.conftest import LEASE_S, OpenEngine, both_kinds, reopens
from tests.contract.phrases import (
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
from zypher.engines.contract import Engine, Stop
from zypher.prediction import Cancellation, Outcome, Status, StopReason

CANCELLED = Outcome(Status.CANCELLED)


@both_kinds
async def test_the_worker_of_a_cancelled_prediction_is_asked_to_stop(engine: Engine, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    delivery = await receive_one(engine)
    stops = asyncio.create_task(engine.stops(60))
    await turns()
    assert await engine.cancel(prediction_id) is Cancellation.ASKED
    assert await stops == [Stop(delivery, StopReason.CANCELLED)]
    assert await engine.cancel(prediction_id) is Cancellation.ASKED
    assert await status(engine, prediction_id) is Status.RUNNING
    assert await settle_one(engine, delivery, CANCELLED)
    assert (await get(engine, prediction_id)).outcome == CANCELLED
    assert await engine.cancel(prediction_id) is Cancellation.ENDED


async def test_one_cancel_is_one_stop(engine: Engine, clock: FakeClock) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    delivery = await receive_one(engine)
    for _ in range(3):
        await engine.cancel(prediction_id)
    stops = await engine.stops(5)
    await engine.extend([delivery])
    waiting = asyncio.create_task(engine.stops(5))
    await turns()
    clock.advance(5)
    assert stops + await waiting == [Stop(delivery, StopReason.CANCELLED)]


async def test_without_a_stop_the_wait_ends(engine: Engine, clock: FakeClock) -> None:
    assert await engine.stops(0) == []
    waiting = asyncio.create_task(engine.stops(5))
    await turns()
    clock.advance(5)
    assert await waiting == []


@both_kinds
async def test_an_outcome_that_was_reached_before_the_stop_counts(engine: Engine, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    delivery = await receive_one(engine)
    await engine.cancel(prediction_id)
    assert await settle_one(engine, delivery, SUCCEEDED)
    assert (await get(engine, prediction_id)).outcome == SUCCEEDED
    assert await engine.cancel(prediction_id) is Cancellation.TOO_LATE


@both_kinds
@pytest.mark.parametrize("counted", [True, False])
async def test_what_was_asked_to_stop_ends_when_it_is_released(engine: Engine, durable: bool, counted: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    waiter = asyncio.create_task(engine.get(prediction_id, None))
    delivery = await receive_one(engine)
    await engine.cancel(prediction_id)
    assert await engine.release(delivery, counted=counted, delay_s=5)
    ended = await waiter
    assert ended is not None
    assert ended.outcome == CANCELLED
    assert (await depth(engine)).queued == 0
    assert not await settle_one(engine, delivery, SUCCEEDED)


@both_kinds
async def test_what_was_asked_to_stop_ends_when_its_lease_does(engine: Engine, clock: FakeClock, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    delivery = await receive_one(engine)
    await engine.cancel(prediction_id)
    clock.advance(LEASE_S)
    await turns()
    ended = await engine.get(prediction_id, None)
    assert ended is not None
    assert ended.outcome == CANCELLED
    assert await receive_ids(engine) == []
    assert not await settle_one(engine, delivery, SUCCEEDED)


@reopens
async def test_what_was_asked_to_stop_never_runs_again(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    (prediction_id,) = await submit_many(engine, 1)
    await receive_one(engine)
    assert await engine.cancel(prediction_id) is Cancellation.ASKED
    await engine.close()
    engine = await open_engine()
    ended = await engine.get(prediction_id, None)
    assert ended is not None
    assert ended.outcome == CANCELLED
    assert await receive_ids(engine) == []


@reopens
async def test_a_stop_is_kept_with_its_prediction(open_engine: OpenEngine) -> None:
    sent, engine = message(), await open_engine()
    await submit_one(engine, sent, durable=False)
    await receive_one(engine)
    await asyncio.gather(engine.cancel(sent.prediction_id), engine.keep(sent))
    await engine.close()
    engine = await open_engine()
    ended = await engine.get(sent.prediction_id, None)
    assert ended is not None
    assert ended.outcome == CANCELLED


async def test_a_lost_lease_is_a_stop(engine: Engine, clock: FakeClock) -> None:
    await submit_many(engine, 1)
    lost = await receive_one(engine)
    clock.advance(LEASE_S)
    await turns()
    await engine.extend([lost])
    assert await engine.stops(5) == [Stop(lost, StopReason.LEASE_LOST)]
    await engine.extend([lost])
    assert await engine.stops(0) == []


async def test_a_settled_or_released_delivery_is_not_stopped(engine: Engine, clock: FakeClock) -> None:
    ids = await submit_many(engine, 2)
    for number, _ in enumerate(ids):
        delivery = await receive_one(engine)
        await engine.cancel(delivery.message.prediction_id)
        if number:
            await engine.release(delivery, counted=False)
        else:
            await settle_one(engine, delivery, CANCELLED)
        await engine.extend([delivery])
    clock.advance(LEASE_S)
    await turns()
    assert await engine.stops(0) == []


async def test_racing_cancels_and_settles_agree(engine: Engine) -> None:
    ids = await submit_many(engine, 20)
    deliveries = [await receive_one(engine) for _ in ids]
    cancels = [engine.cancel(each) for each in ids]
    settles = [settle_one(engine, each, SUCCEEDED) for each in deliveries]
    told = await asyncio.gather(*cancels[:10], *settles, *cancels[10:])
    assert set(told) <= {True, Cancellation.ASKED, Cancellation.TOO_LATE}
    assert {await status(engine, each) for each in ids} == {Status.SUCCEEDED}
