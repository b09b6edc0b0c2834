"""What an engine promises to a worker."""

import asyncio
from collections import Counter

import msgspec
import pytest

from tests.contract.conftest import LEASE_S, OpenEngine, both_kinds, reopens
from tests.contract.phrases import (
    FAILED,
    MODEL,
    OTHER,
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
from zypher.prediction import Cancellation, Delivery, Status


async def test_the_oldest_is_received_first_whatever_its_kind(engine: Engine) -> None:
    ids = [(await submit_one(engine, message(), durable=number % 2 == 0)).prediction_id for number in range(10)]
    assert await receive_ids(engine, limit=3) == ids


async def test_no_more_than_asked_is_received(engine: Engine) -> None:
    await submit_many(engine, 5)
    assert len(await engine.receive(MODEL, 2, 0)) == 2
    assert await engine.receive(MODEL, 0, 0) == []
    assert (await depth(engine)).queued == 3


async def test_models_do_not_share_queues(engine: Engine) -> None:
    (mine,) = await submit_many(engine, 1)
    other = await submit_one(engine, message(model="other"), durable=True)
    assert await receive_ids(engine) == [mine]
    assert await receive_ids(engine, model="other") == [other.prediction_id]


async def test_a_waiting_receiver_gets_a_delivery_at_once(engine: Engine) -> None:
    receiver = asyncio.create_task(engine.receive(MODEL, 10, 60))
    await turns()
    (prediction_id,) = await submit_many(engine, 1)
    assert [delivery.message.prediction_id for delivery in await receiver] == [prediction_id]


async def test_large_inputs_are_received_without_delay(engine: Engine) -> None:
    large = b'"%s"' % (b"x" * 1_100_000)
    ids = [(await submit_one(engine, message(large), durable=True)).prediction_id for _ in range(12)]
    received: list[str] = []
    async with asyncio.timeout(5):  # a second for each that is not called for but found later
        while len(received) < len(ids):
            received += [delivery.message.prediction_id for delivery in await engine.receive(MODEL, 100, 60)]
    assert received == ids


async def test_two_receivers_of_one_large_input_both_return(engine: Engine, clock: FakeClock) -> None:
    await submit_one(engine, message(b'"%s"' % (b"x" * 100_000)), durable=True)
    receivers = [asyncio.create_task(engine.receive(MODEL, 1, 5)) for _ in range(2)]
    async with asyncio.timeout(10):
        await asyncio.wait(receivers, return_when=asyncio.FIRST_COMPLETED)
        while not all(receiver.done() for receiver in receivers):
            clock.advance(5)
            await turns()
    assert sorted(len(receiver.result()) for receiver in receivers) == [0, 1]


async def test_a_receiver_gets_nothing_after_its_wait(engine: Engine, clock: FakeClock) -> None:
    receiver = asyncio.create_task(engine.receive(MODEL, 10, 60))
    await turns()
    clock.advance(59)
    await turns()
    assert not receiver.done()
    clock.advance(1)
    assert await receiver == []


async def test_twenty_workers_get_each_prediction_once(engine: Engine, clock: FakeClock) -> None:
    received: list[str] = []

    async def work() -> None:
        while deliveries := await engine.receive(MODEL, 3, 5):
            received.extend(delivery.message.prediction_id for delivery in deliveries)
            await asyncio.gather(*(settle_one(engine, delivery, SUCCEEDED) for delivery in deliveries))

    workers = [asyncio.create_task(work()) for _ in range(20)]
    ids = await submit_many(engine, 50)
    ids += await submit_many(engine, 50, durable=False)
    while len(received) < len(ids):
        await turns(1)
    while not all(worker.done() for worker in workers):
        clock.advance(5)
        await turns()
    assert Counter(received) == Counter(ids)


async def test_work_is_not_lost_on_a_receiver_that_gives_up(engine: Engine) -> None:
    leaving, staying = (asyncio.create_task(engine.receive(MODEL, 1, 60)) for _ in range(2))
    await turns()
    sent = message()
    await submit_one(engine, sent, durable=False)
    leaving.cancel()  # it was called, but has not come
    assert [delivery.message.prediction_id for delivery in await staying] == [sent.prediction_id]


@both_kinds
async def test_a_running_prediction_has_its_start(engine: Engine, clock: FakeClock, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    clock.advance(7)
    delivery = await receive_one(engine)
    seen = await get(engine, prediction_id)
    assert delivery.attempt == 1
    assert (seen.status, seen.attempt, seen.started_at, seen.position) == (Status.RUNNING, 0, clock.now(), 0)
    await engine.begin([delivery])
    assert await get(engine, prediction_id) == msgspec.structs.replace(seen, attempt=1)


@both_kinds
async def test_of_two_settles_the_first_counts(engine: Engine, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    delivery = await receive_one(engine)
    settled = await asyncio.gather(settle_one(engine, delivery, SUCCEEDED), settle_one(engine, delivery, OTHER))
    assert settled == [True, False]
    assert not await settle_one(engine, delivery, FAILED)
    assert (await get(engine, prediction_id)).outcome == SUCCEEDED


@both_kinds
async def test_a_lost_lease_queues_the_prediction_again_and_fences(
    engine: Engine, clock: FakeClock, durable: bool
) -> None:
    ids = await submit_many(engine, 2, durable=durable)
    lost = await receive_one(engine)
    clock.advance(LEASE_S)
    await turns()
    assert await status(engine, ids[0]) is Status.QUEUED
    assert (await depth(engine)).queued == 2
    assert not await settle_one(engine, lost, OTHER)
    assert not await engine.release(lost, counted=True)
    await engine.extend([lost])
    await engine.begin([lost])
    again = await receive_one(engine)
    assert (again.message, again.attempt) == (lost.message, 1)
    assert not await settle_one(engine, lost, OTHER)
    assert await settle_one(engine, again, SUCCEEDED)
    assert (await get(engine, ids[0])).outcome == SUCCEEDED


async def test_a_lost_lease_wakes_a_receiver(engine: Engine, clock: FakeClock) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    await receive_one(engine)
    receiver = asyncio.create_task(engine.receive(MODEL, 1, 2 * LEASE_S))
    await turns()
    clock.advance(LEASE_S)
    assert [delivery.message.prediction_id for delivery in await receiver] == [prediction_id]


async def test_a_lease_lasts_while_it_is_extended(engine: Engine, clock: FakeClock) -> None:
    await submit_many(engine, 2)
    kept, left = await engine.receive(MODEL, 2, 0)
    for _ in range(5):
        clock.advance(LEASE_S * 2 / 3)
        await turns()
        await engine.extend([kept])
    await engine.extend([kept, left])
    assert await settle_one(engine, kept, SUCCEEDED)
    assert not await settle_one(engine, left, SUCCEEDED)


async def test_what_was_settled_cannot_be_extended(engine: Engine) -> None:
    await submit_many(engine, 1)
    delivery = await receive_one(engine)
    await settle_one(engine, delivery, SUCCEEDED)
    await engine.extend([delivery])
    assert await engine.stops(0) == []
    assert not await engine.release(delivery, counted=False)


@both_kinds
async def test_a_released_prediction_keeps_its_place(engine: Engine, durable: bool) -> None:
    ids = await submit_many(engine, 5, durable=durable)
    deliveries = await engine.receive(MODEL, 3, 0)
    for delivery in reversed(deliveries):
        assert await engine.release(delivery, counted=True)
    assert [(await get(engine, each)).status for each in ids] == [Status.QUEUED] * 5
    assert await receive_ids(engine) == ids


@both_kinds
@pytest.mark.parametrize("begun", [True, False])
async def test_a_lost_attempt_counts_if_it_was_begun(
    engine: Engine, clock: FakeClock, durable: bool, begun: bool
) -> None:
    await submit_many(engine, 2, durable=durable)
    lost = await engine.receive(MODEL, 2, 0)
    if begun:
        await engine.begin(lost)
        await engine.begin(lost[:1])
    clock.advance(LEASE_S)
    assert (await depth(engine)).queued == 2

    again = await engine.receive(MODEL, 2, 0)

    assert [delivery.attempt for delivery in again] == [1 + begun] * 2
    assert [delivery.unbegun for delivery in again] == [2 - begun] * 2
    await engine.begin([lost[0], again[1]])
    attempts = {(await get(engine, each.message.prediction_id)).attempt for each in again[1:]}
    assert attempts == {2 if begun else 1}


@both_kinds
async def test_hand_outs_without_a_beginning_are_numbered(engine: Engine, clock: FakeClock, durable: bool) -> None:
    await submit_many(engine, 1, durable=durable)
    for hand_out in range(1, 5):
        delivery = await receive_one(engine)
        assert (delivery.attempt, delivery.unbegun) == (1, hand_out)
        if hand_out % 2:
            await engine.release(delivery, counted=False)
        else:
            clock.advance(LEASE_S)
            assert (await depth(engine)).queued == 1
    await engine.release(await receive_one(engine), counted=True)
    assert (await receive_one(engine)).unbegun == 1


@both_kinds
async def test_a_begun_attempt_may_be_taken_back(engine: Engine, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    delivery = await receive_one(engine)
    await engine.begin([delivery])
    await engine.release(delivery, counted=False)
    assert (await get(engine, prediction_id)).attempt == 0
    assert (await receive_one(engine)).attempt == 1


@both_kinds
@pytest.mark.parametrize("counted", [True, False])
async def test_a_release_may_count_the_attempt(engine: Engine, durable: bool, counted: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    first = await receive_one(engine)
    await engine.release(first, counted=counted)
    assert (await get(engine, prediction_id)).attempt == counted
    second = await receive_one(engine)
    assert second.attempt == 1 + counted
    assert second.receipt != first.receipt
    assert not await settle_one(engine, first, OTHER)
    assert await settle_one(engine, second, SUCCEEDED)


@both_kinds
async def test_a_delayed_release_waits(engine: Engine, clock: FakeClock, durable: bool) -> None:
    ids = await submit_many(engine, 2, durable=durable)
    await engine.release(await receive_one(engine), counted=True, delay_s=10)
    seen = await get(engine, ids[0])
    assert (seen.status, seen.position >= 1) == (Status.QUEUED, True)
    assert (await depth(engine)).queued == 2
    assert await receive_ids(engine) == [ids[1]]
    receiver = asyncio.create_task(engine.receive(MODEL, 1, 60))
    await turns()
    clock.advance(9.9)
    await turns()
    assert not receiver.done()
    clock.advance(0.1)
    assert [delivery.message.prediction_id for delivery in await receiver] == [ids[0]]


async def test_deliveries_of_two_models_may_be_due_at_once(engine: Engine, clock: FakeClock) -> None:
    for model in ("one", "other"):
        await submit_one(engine, message(model=model), durable=True)
        assert await engine.release(await receive_one(engine, model), counted=True, delay_s=5)
    clock.advance(5)
    for model in ("one", "other"):
        assert (await receive_one(engine, model)).attempt == 2


async def test_delays_end_each_at_its_time(engine: Engine, clock: FakeClock) -> None:
    ids = await submit_many(engine, 3)
    delays = (20, 10, 30)
    for delivery, delay_s in zip(await engine.receive(MODEL, 3, 0), delays, strict=True):
        await engine.release(delivery, counted=True, delay_s=delay_s)
    received: list[list[str]] = []
    for _ in range(3):
        clock.advance(10)
        received.append(await receive_ids(engine))
    assert received == [[ids[1]], [ids[0]], [ids[2]]]


async def test_a_delayed_prediction_can_be_cancelled(engine: Engine, clock: FakeClock) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    await engine.release(await receive_one(engine), counted=True, delay_s=10)
    assert await engine.cancel(prediction_id) is Cancellation.ENDED
    clock.advance(10)
    assert await receive_ids(engine) == []
    assert await status(engine, prediction_id) is Status.CANCELLED


@both_kinds
async def test_a_failure_keeps_its_kind_and_message(engine: Engine, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    waiter = asyncio.create_task(engine.get(prediction_id, None))
    await turns()
    await settle_one(engine, await receive_one(engine), FAILED)
    told = await waiter
    assert told is not None
    assert (told.status, told.outcome) == (Status.FAILED, FAILED)


@reopens
async def test_what_was_accepted_is_there_after_a_restart(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    ids = await submit_many(engine, 6)
    deliveries = await engine.receive(MODEL, 3, 0)
    await settle_one(engine, deliveries[0], SUCCEEDED)
    await engine.release(deliveries[1], counted=False)
    await engine.begin([deliveries[2]])
    await engine.close()
    engine = await open_engine()
    assert (await get(engine, ids[0])).outcome == SUCCEEDED
    again = await engine.receive(MODEL, 1, 0)
    again += await engine.receive(MODEL, 10, 0)
    attempts = {delivery.message.prediction_id: delivery.attempt for delivery in again}
    assert list(attempts) == ids[1:]
    assert list(attempts.values()) == [1, 2, 1, 1, 1]  # only the one that ran had begun an attempt


@reopens
async def test_a_restart_may_forget_undurable_predictions(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    ids = await submit_many(engine, 2, durable=False)
    await receive_one(engine)
    await engine.close()
    engine = await open_engine()
    assert await receive_ids(engine) in ([], ids)


@reopens
async def test_a_receipt_does_not_outlive_a_restart(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    await submit_many(engine, 1)
    old = await receive_one(engine)
    await engine.close()
    engine = await open_engine()
    new = await receive_one(engine)
    assert not await settle_one(engine, old, OTHER)
    assert await settle_one(engine, new, SUCCEEDED)


async def test_a_worker_that_is_cancelled_while_it_settles_has_settled(engine: Engine) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    waiter = asyncio.create_task(engine.get(prediction_id, None))
    settle = asyncio.create_task(settle_one(engine, await receive_one(engine), SUCCEEDED))
    await turns(1)
    settle.cancel()
    told = await waiter
    assert told is not None
    assert told.outcome == SUCCEEDED


async def test_many_predictions_on_disk_are_received_in_order(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=5000)
    batches = [asyncio.gather(*(submit_one(engine, message(), durable=True) for _ in range(500))) for _ in range(5)]
    ids = [prediction.prediction_id for batch in batches for prediction in await batch]
    await engine.cancel(ids[1100])
    first: list[Delivery] = await engine.receive(MODEL, 1, 0)
    await engine.release(first[0], counted=False)
    assert await receive_ids(engine, limit=7) == ids[:1100] + ids[1101:]


async def test_concurrent_cancel_and_receive_have_one_winner(engine: Engine) -> None:
    ids = await submit_many(engine, 20)
    halves = [engine.cancel(each) for each in ids]
    told = await asyncio.gather(*halves[:10], engine.receive(MODEL, 20, 0), *halves[10:])
    received = [delivery.message.prediction_id for each in told if isinstance(each, list) for delivery in each]
    answers = [each for each in told if isinstance(each, Cancellation)]
    cancelled = [each for each, answer in zip(ids, answers, strict=True) if answer is Cancellation.ENDED]
    assert sorted(received + cancelled) == sorted(ids)


async def test_queue_state_counts_delayed_predictions(engine: Engine) -> None:
    await submit_many(engine, 2)
    await engine.release(await receive_one(engine), counted=True, delay_s=5)
    seen = await depth(engine)
    assert (seen.queued, seen.delayed) == (2, 1)
