"""What an engine promises to whoever submits."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from tests.contract.conftest import RETENTION_S, OpenEngine, both_kinds, reopens
from tests.contract.phrases import (
    FAILED,
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
from tests.fake_clock import FakeClock, eventually
from zypher.engines.contract import Engine
from zypher.errors import IdempotencyKeyReused, QueueFull
from zypher.prediction import Cancellation, Options, Outcome, Prediction, Status


@both_kinds
async def test_a_submitted_prediction_is_queued(engine: Engine, durable: bool) -> None:
    sent = message()
    accepted = await submit_one(engine, sent, durable=durable)
    assert accepted == Prediction(sent.prediction_id, MODEL, Status.QUEUED, sent.submitted_at, 0, 1, durable=durable)
    assert await engine.get(sent.prediction_id) == accepted


async def test_a_queued_prediction_that_leaves_has_a_position(engine: Engine, clock: FakeClock) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    cancelling = asyncio.create_task(engine.cancel(prediction_id))
    await turns(1)  # it has begun
    leaving = await get(engine, prediction_id)
    late = message(options=Options(deadline=clock.now()))
    for each in (leaving, await submit_one(engine, late, durable=True)):
        assert each.status is not Status.QUEUED or each.position == 1
    await cancelling


async def test_positions_count_from_the_one_that_is_next(engine: Engine) -> None:
    ids = await submit_many(engine, 3)
    ids += await submit_many(engine, 2, durable=False)
    assert [(await get(engine, each)).position for each in ids] == [1, 2, 3, 4, 5]
    await receive_one(engine)
    assert [(await get(engine, each)).position for each in ids] == [0, 1, 2, 3, 4]


async def test_an_unknown_id_is_none_however_long_one_waits(engine: Engine) -> None:
    for unknown in ("unknown", "", "\udce9", "schön", "x" * 10_000, "a\0b"):
        assert await engine.get(unknown) is None
        assert await engine.get(unknown, wait_s=None) is None


@both_kinds
async def test_the_same_id_twice_is_one_prediction(engine: Engine, durable: bool) -> None:
    sent = message()
    first = await submit_one(engine, sent, durable=durable)
    assert await submit_one(engine, sent, durable=durable) == first
    assert (await depth(engine)).queued == 1


async def test_the_same_id_from_many_at_once_is_one_prediction(engine: Engine) -> None:
    sent = message()
    accepted = await asyncio.gather(*(submit_one(engine, sent, durable=True) for _ in range(50)))
    assert {prediction.prediction_id for prediction in accepted} == {sent.prediction_id}
    assert await receive_ids(engine) == [sent.prediction_id]


async def test_the_same_id_after_its_end_returns_the_end(engine: Engine) -> None:
    sent = message()
    await submit_one(engine, sent, durable=True)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    assert (await submit_one(engine, sent, durable=True)).outcome == SUCCEEDED
    assert (await depth(engine)).queued == 0


@reopens
async def test_submitting_an_ended_id_again_returns_its_result(open_engine: OpenEngine) -> None:
    sent, engine = message(), await open_engine()
    await submit_one(engine, sent, durable=True)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    await engine.close()
    engine = await open_engine()
    assert (await submit_one(engine, sent, durable=True)).outcome == SUCCEEDED
    assert (await depth(engine)).queued == 0


@both_kinds
async def test_a_full_queue_refuses_until_there_is_room(open_engine: OpenEngine, durable: bool) -> None:
    engine = await open_engine(queue_limit=2)
    await submit_one(engine, message(), durable=durable)
    await submit_one(engine, message(), durable=not durable)
    with pytest.raises(QueueFull, match="2 predictions wait for model") as refused:
        await submit_one(engine, message(), durable=durable)
    assert refused.value.retry_after_s >= 1
    await submit_one(engine, message(model="other"), durable=durable)
    await receive_one(engine)
    await submit_one(engine, message(), durable=durable)


async def test_many_at_once_do_not_overfill_the_queue(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=5)
    answers = await asyncio.gather(
        *(submit_one(engine, message(), durable=True) for _ in range(20)), return_exceptions=True
    )
    assert Counter(type(answer) for answer in answers) == {Prediction: 5, QueueFull: 15}
    assert (await depth(engine)).queued == 5


async def test_a_key_that_came_before_returns_the_first_prediction(engine: Engine) -> None:
    sent = message()
    await submit_one(engine, sent, durable=False, idempotency_key="key")
    again = await submit_one(engine, message(), durable=False, idempotency_key="key")
    assert (again.prediction_id, again.status, again.durable) == (sent.prediction_id, Status.QUEUED, True)
    delivery = await receive_one(engine)
    assert (await submit_one(engine, message(), durable=True, idempotency_key="key")).status is Status.RUNNING
    await settle_one(engine, delivery, FAILED)
    assert (await submit_one(engine, message(), durable=True, idempotency_key="key")).outcome == FAILED


async def test_a_key_from_50_callers_at_once_is_one_prediction(engine: Engine) -> None:
    accepted = await asyncio.gather(
        *(submit_one(engine, message(), durable=True, idempotency_key="key") for _ in range(50))
    )
    assert len({prediction.prediction_id for prediction in accepted}) == 1
    assert await receive_ids(engine) == [accepted[0].prediction_id]
    assert (await depth(engine)).queued == 0


async def test_a_key_with_another_input_is_refused(engine: Engine) -> None:
    await submit_one(engine, message(b'"one"'), durable=True, idempotency_key="key")
    with pytest.raises(IdempotencyKeyReused):
        await submit_one(engine, message(b'"two"'), durable=True, idempotency_key="key")
    assert (await depth(engine)).queued == 1


async def test_racing_inputs_of_one_key_give_one_prediction(engine: Engine) -> None:
    inputs = [b'"one"', b'"two"'] * 10
    answers = await asyncio.gather(
        *(submit_one(engine, message(input), durable=True, idempotency_key="key") for input in inputs),
        return_exceptions=True,
    )
    assert Counter(type(answer) for answer in answers) == {Prediction: 10, IdempotencyKeyReused: 10}
    assert len(await receive_ids(engine)) == 1


async def test_models_do_not_share_keys(engine: Engine) -> None:
    first = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    second = await submit_one(engine, message(b"2", model="other"), durable=True, idempotency_key="key")
    assert first.prediction_id != second.prediction_id


async def test_a_known_key_is_served_while_the_queue_is_full(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=1)
    first = await submit_one(engine, message(), durable=True, idempotency_key="key")
    again = await submit_one(engine, message(), durable=True, idempotency_key="key")
    assert again.prediction_id == first.prediction_id
    with pytest.raises(IdempotencyKeyReused):
        await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    with pytest.raises(QueueFull):
        await submit_one(engine, message(), durable=True, idempotency_key="another")


async def test_a_result_and_its_key_are_kept_for_the_retention(engine: Engine, clock: FakeClock) -> None:
    sent = message()
    await submit_one(engine, sent, durable=True, idempotency_key="key")
    clock.advance(2 * RETENTION_S)  # counts from the end, not from the submit
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    clock.advance(RETENTION_S - 1)
    assert await status(engine, sent.prediction_id) is Status.SUCCEEDED
    clock.advance(1)
    assert await engine.get(sent.prediction_id) is None
    fresh = await submit_one(engine, message(b"2"), durable=True, idempotency_key="key")
    assert fresh.status is Status.QUEUED


@pytest.mark.parametrize("again", ["submit", "keep"])
async def test_an_id_past_its_retention_is_accepted_anew(engine: Engine, clock: FakeClock, again: str) -> None:
    sent = message()
    await submit_one(engine, sent, durable=again == "submit")
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    clock.advance(RETENTION_S)
    accepted = await (engine.keep(sent) if again == "keep" else submit_one(engine, sent, durable=True))
    assert accepted.status is Status.QUEUED
    assert await receive_ids(engine) == [sent.prediction_id]


async def test_a_key_stands_for_an_id_past_its_retention(engine: Engine, clock: FakeClock) -> None:
    over = message()
    await submit_one(engine, over, durable=True)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    clock.advance(RETENTION_S)
    first = await submit_one(engine, message(), durable=True, idempotency_key="key")
    again = await submit_one(engine, over, durable=True, idempotency_key="key")
    assert again.prediction_id == first.prediction_id


@both_kinds
async def test_a_waiter_gets_the_result(engine: Engine, clock: FakeClock, durable: bool) -> None:
    sent = message()
    await submit_one(engine, sent, durable=durable)
    waiters = [asyncio.create_task(engine.get(sent.prediction_id, wait_s)) for wait_s in (None, 60)]
    await turns()
    delivery = await receive_one(engine)
    began_at = clock.now()
    clock.advance(5)
    await settle_one(engine, delivery, SUCCEEDED)
    expected = Prediction(
        sent.prediction_id,
        MODEL,
        Status.SUCCEEDED,
        sent.submitted_at,
        attempt=1,
        started_at=began_at,
        finished_at=began_at + timedelta(seconds=5),
        outcome=SUCCEEDED,
        durable=durable,
    )
    assert await asyncio.gather(*waiters) == [expected, expected]


@both_kinds
async def test_a_wait_that_is_over_returns_the_state(engine: Engine, clock: FakeClock, durable: bool) -> None:
    sent = message()
    await submit_one(engine, sent, durable=durable)
    waiter = asyncio.create_task(engine.get(sent.prediction_id, 2))
    await turns()
    await engine.begin([await receive_one(engine)])
    clock.advance(1.9)
    await turns()
    assert not waiter.done()
    clock.advance(0.1)
    seen = await waiter
    assert seen is not None
    assert (seen.status, seen.attempt, seen.outcome) == (Status.RUNNING, 1, None)


@both_kinds
async def test_a_queued_prediction_can_be_cancelled(engine: Engine, durable: bool) -> None:
    ids = await submit_many(engine, 3, durable=durable)
    waiter = asyncio.create_task(engine.get(ids[1], None))
    await turns()
    assert await engine.cancel(ids[1]) is Cancellation.ENDED
    assert await engine.cancel(ids[1]) in {Cancellation.ENDED, *(() if durable else (Cancellation.UNKNOWN,))}
    told = await waiter
    assert told is not None
    assert (told.status, told.attempt, told.outcome) == (Status.CANCELLED, 0, Outcome(Status.CANCELLED))
    assert await receive_ids(engine) == [ids[0], ids[2]]


@reopens
async def test_a_cancelled_prediction_stays_cancelled(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    (prediction_id,) = await submit_many(engine, 1)
    await engine.cancel(prediction_id)
    await engine.close()
    engine = await open_engine()
    assert await status(engine, prediction_id) is Status.CANCELLED
    assert await receive_ids(engine) == []


@both_kinds
async def test_what_has_ended_or_is_unknown_cannot_be_cancelled(engine: Engine, durable: bool) -> None:
    (prediction_id,) = await submit_many(engine, 1, durable=durable)
    assert await settle_one(engine, await receive_one(engine), SUCCEEDED)
    assert await engine.cancel(prediction_id) is Cancellation.TOO_LATE
    assert await engine.cancel("unknown") is Cancellation.UNKNOWN


async def test_concurrent_cancels_agree(engine: Engine) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    assert set(await asyncio.gather(*(engine.cancel(prediction_id) for _ in range(5)))) == {Cancellation.ENDED}


async def test_a_cancelled_prediction_is_not_delivered(engine: Engine, clock: FakeClock) -> None:
    receiver = asyncio.create_task(engine.receive(MODEL, 1, 10))
    await turns()
    sent = message()
    await submit_one(engine, sent, durable=False)
    cancelled = await engine.cancel(sent.prediction_id)  # perhaps before the receiver could look
    await turns()
    clock.advance(10)
    received = await receiver
    assert [delivery.message for delivery in received] == ([] if cancelled is Cancellation.ENDED else [sent])


async def test_a_disconnect_during_submit_leaves_a_whole_prediction(engine: Engine) -> None:
    sent = message()
    caller = asyncio.create_task(submit_one(engine, sent, durable=True))
    await turns(1)
    caller.cancel()
    await asyncio.wait([caller])
    await submit_one(engine, message(), durable=True)  # committed after it
    assert sent.prediction_id in await receive_ids(engine)


@reopens
@pytest.mark.parametrize("moment", ["queued", "running", "ended"])
async def test_a_prediction_can_be_promoted_after_its_wait(open_engine: OpenEngine, moment: str) -> None:
    sent, engine = message(), await open_engine()
    await submit_one(engine, sent, durable=False)
    delivery = await receive_one(engine) if moment != "queued" else None
    if delivery is not None and moment == "ended":
        await settle_one(engine, delivery, SUCCEEDED)
    promoted = await engine.keep(sent)
    assert promoted.durable
    delivery = delivery or await receive_one(engine)
    assert await settle_one(engine, delivery, SUCCEEDED) == (moment != "ended")
    await engine.close()
    engine = await open_engine()
    kept = await get(engine, sent.prediction_id)
    assert (kept.outcome, kept.attempt) == (SUCCEEDED, 1)
    assert await receive_ids(engine) == []


@reopens
async def test_nothing_is_lost_when_settle_races_with_promotion(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    sent = [message() for _ in range(20)]
    for one in sent:
        await submit_one(engine, one, durable=False)
    deliveries = await engine.receive(MODEL, 20, 0)
    for number, (one, delivery) in enumerate(zip(sent, deliveries, strict=True)):
        halves = [engine.keep(one), settle_one(engine, delivery, SUCCEEDED)]
        await asyncio.gather(*(halves if number % 2 else reversed(halves)))
    await engine.close()
    engine = await open_engine()
    assert [(await get(engine, one.prediction_id)).outcome for one in sent] == [SUCCEEDED] * 20


async def test_nothing_is_lost_between_wait_and_promotion(engine: Engine, clock: FakeClock) -> None:
    sent = message()
    await submit_one(engine, sent, durable=False)
    waiter = asyncio.create_task(engine.get(sent.prediction_id, 1))
    await turns()
    delivery = await receive_one(engine)
    clock.advance(1)  # the wait is over, but the waiter has not heard of it when the prediction ends
    await settle_one(engine, delivery, SUCCEEDED)
    seen = await waiter
    assert seen is not None
    assert seen.status in {Status.RUNNING, Status.SUCCEEDED}
    assert (await engine.keep(sent)).outcome == SUCCEEDED


async def test_nothing_is_lost_when_a_notified_waiter_is_cancelled(engine: Engine) -> None:
    sent = message()
    await submit_one(engine, sent, durable=False)
    waiter = asyncio.create_task(engine.get(sent.prediction_id, None))
    await turns()
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    waiter.cancel()  # unless it was quick enough to hear of the end
    await asyncio.wait([waiter])
    assert (await engine.keep(sent)).outcome == SUCCEEDED


@pytest.mark.parametrize("output", [b'"short"', b'"with\0zeros\0"', b'"' + 10_000 * b"x" + b'"'])
async def test_a_waiter_gets_the_stored_result(engine: Engine, output: bytes) -> None:
    sent = message()
    await submit_one(engine, sent, durable=True)
    waiter = asyncio.create_task(engine.get(sent.prediction_id, None))
    await turns()
    await settle_one(engine, await receive_one(engine), Outcome(Status.SUCCEEDED, output, run_s=0.25))
    told = await waiter
    assert told == await engine.get(sent.prediction_id)
    assert told is not None
    assert told.outcome == Outcome(Status.SUCCEEDED, output, run_s=0.25)


async def test_a_prediction_made_durable_by_many_at_once_is_one(engine: Engine) -> None:
    sent = message()
    await submit_one(engine, sent, durable=False)
    accepted = await asyncio.gather(*(engine.keep(sent) for _ in range(10)))
    assert all(prediction.durable for prediction in accepted)
    assert await receive_ids(engine) == [sent.prediction_id]


@reopens
async def test_results_are_the_very_bytes_that_were_given(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    outcomes = [
        Outcome(Status.SUCCEEDED, output=b' { "a" : 1.0e-7 , "b" : "\xe2\x98\x83" } '),
        Outcome(Status.SUCCEEDED, output=b'"' + b"x" * 3_000_000 + b'"'),
        Outcome(Status.SUCCEEDED, output=b"null"),
        FAILED,
        Outcome(Status.EXPIRED),
    ]
    ids = await submit_many(engine, len(outcomes))
    for outcome in outcomes:
        await settle_one(engine, await receive_one(engine), outcome)
    await engine.close()
    engine = await open_engine()
    assert [(await get(engine, each)).outcome for each in ids] == outcomes


@reopens
async def test_a_message_arrives_as_it_was_sent(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    sent = [message(b' {"x":  "\xe2\x98\x83"}'), message(b'"' + b"x" * 3_000_000 + b'"'), message(b"1")]
    for one in sent:
        await submit_one(engine, one, durable=True)
    await engine.close()
    engine = await open_engine()
    assert [(await receive_one(engine)).message for _ in sent] == sent


async def test_polling_during_a_settle_never_goes_back(engine: Engine) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    settle = asyncio.create_task(settle_one(engine, await receive_one(engine), SUCCEEDED))
    seen = [await status(engine, prediction_id)]
    await eventually(settle.done)
    seen.append(await status(engine, prediction_id))
    assert seen == [Status.RUNNING, Status.SUCCEEDED]
    assert await settle


@reopens
async def test_a_prediction_may_be_cancelled_while_it_is_made_durable(open_engine: OpenEngine) -> None:
    sent, engine = message(), await open_engine()
    await submit_one(engine, sent, durable=False)
    promoted, cancelled = await asyncio.gather(engine.keep(sent), engine.cancel(sent.prediction_id))
    assert promoted.durable
    assert cancelled is Cancellation.ENDED
    await engine.close()
    engine = await open_engine()
    assert await status(engine, sent.prediction_id) is Status.CANCELLED
    assert await receive_ids(engine) == []


@reopens
async def test_a_prediction_may_be_released_while_it_is_made_durable(open_engine: OpenEngine) -> None:
    sent, engine = message(), await open_engine()
    await submit_one(engine, sent, durable=False)
    delivery = await receive_one(engine)
    await asyncio.gather(engine.keep(sent), engine.release(delivery, counted=True))
    assert (await receive_one(engine)).message == sent
    await engine.close()
    engine = await open_engine()
    assert (await receive_one(engine)).message == sent


@reopens
async def test_what_an_engine_has_forgotten_is_kept_anew(open_engine: OpenEngine) -> None:
    sent, engine = message(), await open_engine()
    assert await engine.keep(sent) == Prediction(sent.prediction_id, MODEL, Status.QUEUED, sent.submitted_at, 0, 1)
    assert await engine.keep(sent) == await get(engine, sent.prediction_id)
    await engine.close()
    assert (await receive_one(await open_engine())).message == sent


async def test_a_second_submit_does_not_make_a_prediction_durable(engine: Engine) -> None:
    sent = message()
    await submit_one(engine, sent, durable=False)
    assert not (await submit_one(engine, sent, durable=True)).durable
