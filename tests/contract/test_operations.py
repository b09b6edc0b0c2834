"""What an engine tells whoever looks, and how it begins and ends."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.contract.conftest import LEASE_S, LIMIT_BYTES, OpenEngine, reopens
from tests.contract.phrases import (
    FAILED,
    MODEL,
    SUCCEEDED,
    depth,
    message,
    models,
    receive_one,
    settle_one,
    submit_many,
    submit_one,
    turns,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.errors import EngineUnavailable
from zypher.prediction import Outcome, Status
from zypher.queue_state import QueueState, WorkerState


def presence(worker_id: str = "w1", model: str = MODEL, ready_replicas: int = 1) -> WorkerState:
    return WorkerState(worker_id, model, None, replicas=1, ready_replicas=ready_replicas, slots=ready_replicas)


async def test_an_empty_queue(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=7)
    empty = await depth(engine)
    assert replace(empty, data_bytes=0) == QueueState(0, 0, None, None, 7, (), data_limit_bytes=LIMIT_BYTES)
    assert empty.data_bytes < LIMIT_BYTES / 10
    assert await models(engine) == []


async def test_depth_follows_each_step(engine: Engine, clock: FakeClock) -> None:
    async def counts() -> tuple[int, int]:
        seen = await depth(engine)
        return seen.queued, seen.running

    ids = await submit_many(engine, 3)
    ids += await submit_many(engine, 1, durable=False)
    assert await counts() == (4, 0)
    deliveries = await engine.receive(MODEL, 3, 0)
    assert await counts() == (1, 3)
    await settle_one(engine, deliveries[0], SUCCEEDED)
    assert await counts() == (1, 2)
    await engine.release(deliveries[1], counted=True, delay_s=5)
    assert await counts() == (2, 1)
    clock.advance(LEASE_S)
    assert await counts() == (3, 0)
    await engine.cancel(ids[3])
    await engine.cancel(ids[1])
    assert await counts() == (1, 0)
    await settle_one(engine, await receive_one(engine), FAILED)
    assert await counts() == (0, 0)


async def test_inputs_count_against_the_limit_of_bytes(engine: Engine) -> None:
    before = (await depth(engine)).data_bytes
    for _ in range(3):
        await submit_one(engine, message(b'"' + b"x" * 100_000 + b'"'), durable=True)
    assert (await depth(engine)).data_bytes >= before + 290_000  # pages that were there have some room


async def test_the_oldest_that_waits(engine: Engine) -> None:
    sent = [message() for _ in range(3)]
    for one in sent:
        await submit_one(engine, one, durable=True)
    assert (await depth(engine)).oldest_queued_at == sent[0].submitted_at
    await engine.cancel(sent[0].prediction_id)
    assert (await depth(engine)).oldest_queued_at == sent[1].submitted_at


async def test_the_run_time_is_a_moving_average_of_what_ran(engine: Engine) -> None:
    run_times: list[float | None] = []
    for run_s in (2.0, 0.0, 4.0, 4.0):
        await submit_many(engine, 1, durable=False)
        await settle_one(engine, await receive_one(engine), Outcome(Status.SUCCEEDED, b"1", run_s=run_s))
        run_times.append((await depth(engine)).run_s)
    assert run_times[:2] == [2.0, 2.0]
    third, fourth = run_times[2:]
    assert third is not None
    assert fourth is not None
    assert 2.0 < third < fourth < 4.0


async def test_the_last_word_of_a_worker_counts_for_one_lease(engine: Engine, clock: FakeClock) -> None:
    await engine.announce(presence("w1", ready_replicas=0))
    await engine.announce(presence("w1"))
    await engine.announce(presence("w2", model="other"))
    assert (await depth(engine)).workers == (presence("w1"),)
    assert await models(engine) == [MODEL, "other"]
    clock.advance(LEASE_S - 1)
    await engine.announce(presence("w2", model="other"))
    clock.advance(1)
    assert (await depth(engine)).workers == ()
    assert await models(engine) == ["other"]


async def test_a_worker_that_stops_is_not_there_any_more(engine: Engine) -> None:
    await engine.announce(presence("w1"))
    await engine.announce(presence("w2"))
    await engine.announce(replace(presence("w1"), replicas=0, ready_replicas=0, slots=0, draining=True))
    assert (await depth(engine)).workers == (presence("w2"),)


async def test_a_worker_without_a_model_yet_is_no_model(engine: Engine) -> None:
    await engine.announce(presence(model=""))
    assert await models(engine) == []
    assert (await depth(engine, "")).workers == (presence(model=""),)


@reopens
async def test_what_another_model_left_behind_is_counted_apart(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    await submit_one(engine, message(model="old"), durable=True)
    await engine.close()
    engine = await open_engine()
    await submit_many(engine, 1)
    assert await models(engine) == [MODEL, "old"]
    assert (await depth(engine, "old")).queued == 1
    assert (await depth(engine)).queued == 1


async def test_a_closing_engine_ends_all_waits(engine: Engine) -> None:
    ids = await submit_many(engine, 1, durable=False)
    await receive_one(engine)
    waiter = asyncio.create_task(engine.get(ids[0], None))
    receiver = asyncio.create_task(engine.receive(MODEL, 1, 1000))
    await turns()
    await engine.close()
    standing = await waiter
    assert standing is not None
    assert standing.outcome is None
    with pytest.raises(EngineUnavailable):
        await receiver


@reopens
async def test_an_engine_that_closes_stores_what_was_given(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    sent = [message() for _ in range(100)]
    submits = [asyncio.create_task(submit_one(engine, one, durable=True)) for one in sent]
    await turns(1)
    await engine.close()
    await asyncio.gather(*submits)
    engine = await open_engine()
    assert (await depth(engine)).queued == 100


async def test_a_closed_engine_raises(engine: Engine) -> None:
    await submit_many(engine, 1)
    delivery = await receive_one(engine)
    await engine.close()
    await engine.close()
    for call in (
        submit_one(engine, message(), durable=False),
        submit_one(engine, message(), durable=True),
        engine.keep(message()),
        engine.get("x"),
        engine.cancel("x"),
        engine.events("x"),
        engine.page(MODEL),
        engine.receive(MODEL, 1, 0),
        engine.extend([delivery]),
        engine.stops(0),
        engine.publish(delivery, []),
        settle_one(engine, delivery, SUCCEEDED),
        engine.release(delivery, counted=True),
        engine.queues(MODEL),
        engine.queues(),
        engine.pause(MODEL, paused=True),
    ):
        with pytest.raises(EngineUnavailable):
            await call


async def test_an_engine_in_order_has_no_warning(engine: Engine) -> None:
    assert engine.warnings() == ()
    await engine.close()
    assert engine.warnings() == ()
