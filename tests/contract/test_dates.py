"""What an engine promises of a date that somebody sets: it changes no age, no deadline and no order."""

from datetime import timedelta

import pytest

from tests.contract.phrases import (
    LOST,
    MODEL,
    SUCCEEDED,
    get,
    message,
    receive_ids,
    receive_one,
    settle_one,
    status,
    submit_one,
    turns,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.prediction import Message, Options, Status, new_prediction_id

DAYS = timedelta(days=2)

both_ways = pytest.mark.parametrize("by", [DAYS, -DAYS], ids=["ahead", "behind"])


def dated(clock: FakeClock, input: bytes = b"1") -> Message:
    """A message of this moment."""
    now = clock.now()
    return Message(new_prediction_id(now, MODEL), MODEL, input, now)


@both_ways
async def test_a_date_that_is_set_makes_no_result_old(engine: Engine, clock: FakeClock, by: timedelta) -> None:
    first = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    for each in (by, -by):
        clock.set_date(each)
        clock.advance(90)
        await turns()
        assert await status(engine, first.prediction_id) is Status.SUCCEEDED
        again = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
        assert again.prediction_id == first.prediction_id
    assert await receive_ids(engine) == []


@both_ways
async def test_a_date_that_is_set_moves_no_deadline(engine: Engine, clock: FakeClock, by: timedelta) -> None:
    deadline = clock.now() + timedelta(seconds=50)
    late, in_time = (message(options=Options(deadline=deadline)) for _ in range(2))
    for each in (in_time, late):
        await submit_one(engine, each, durable=True)
    clock.set_date(by)
    clock.advance(1)
    await turns()
    assert (await receive_one(engine)).message.prediction_id == in_time.prediction_id
    clock.advance(50)
    ended = await engine.get(late.prediction_id, None)
    assert ended is not None
    assert ended.status is Status.EXPIRED


async def test_order_is_that_of_acceptance_while_the_date_goes_back(engine: Engine, clock: FakeClock) -> None:
    ids: list[str] = []
    for _ in range(20):
        ids.append((await submit_one(engine, dated(clock), durable=True)).prediction_id)
        clock.set_date(-DAYS)
    assert len(set(ids)) == 20
    assert [each.prediction_id for each in (await engine.page(MODEL)).predictions] == ids[::-1]
    assert await receive_ids(engine) == ids


async def test_dead_letters_are_in_order_while_the_date_goes_back(engine: Engine, clock: FakeClock) -> None:
    ids: list[str] = []
    for _ in range(3):
        ids.append((await submit_one(engine, dated(clock), durable=True)).prediction_id)
        await settle_one(engine, await receive_one(engine), LOST)
        clock.set_date(-DAYS)
        clock.advance(1)
    assert [each.prediction_id for each in await engine.dead(MODEL, 10)] == ids


async def test_what_is_shown_is_the_date(engine: Engine, clock: FakeClock) -> None:
    clock.set_date(-DAYS)
    sent = dated(clock)
    await submit_one(engine, sent, durable=True)
    delivery = await receive_one(engine)
    clock.set_date(2 * DAYS)
    ended_at = clock.now()
    await settle_one(engine, delivery, SUCCEEDED)
    clock.set_date(-DAYS)
    found = await get(engine, sent.prediction_id)
    assert (found.submitted_at, found.finished_at) == (sent.submitted_at, ended_at)
