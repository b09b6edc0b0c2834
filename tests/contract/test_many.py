"""Submissions of many predictions at once: all or none."""

import asyncio

import pytest

from tests.contract.conftest import OpenEngine, both_kinds, reopens
from tests.contract.phrases import SUCCEEDED, depth, get, message, receive_ids, receive_one, settle_one, submit_one
from zypher.engines.contract import Engine, Submission
from zypher.errors import DataFull, IdempotencyKeyReused, QueueFull
from zypher.prediction import Lane, Options, Status


def many(number: int, keys: str = "") -> list[Submission]:
    return [Submission(message(), f"{keys}/{each}" if keys else None) for each in range(number)]


@both_kinds
async def test_many_are_accepted_in_their_order(engine: Engine, durable: bool) -> None:
    sent = many(1000)
    accepted = await engine.submit(sent, durable=durable)
    assert [each.prediction_id for each in accepted] == [each.message.prediction_id for each in sent]
    assert {each.status for each in accepted} == {Status.QUEUED}
    assert await receive_ids(engine) == [each.message.prediction_id for each in sent]


@both_kinds
async def test_none_is_accepted_of_no_submissions(engine: Engine, durable: bool) -> None:
    assert await engine.submit([], durable=durable) == []


@both_kinds
async def test_one_id_twice_in_one_submit_is_one_prediction(engine: Engine, durable: bool) -> None:
    sent = Submission(message())
    first, second = await engine.submit([sent, sent], durable=durable)
    assert (first.prediction_id, second.prediction_id) == (sent.message.prediction_id,) * 2
    assert (await depth(engine)).queued == 1
    assert await settle_one(engine, await receive_one(engine), SUCCEEDED)
    assert await receive_ids(engine) == []


@reopens
async def test_many_outlast_the_engine(open_engine: OpenEngine) -> None:
    engine, sent = await open_engine(), many(100)
    await engine.submit(sent, durable=True)
    await engine.close()
    assert await receive_ids(await open_engine()) == [each.message.prediction_id for each in sent]


@both_kinds
async def test_without_room_for_all_none_is_accepted(open_engine: OpenEngine, durable: bool) -> None:
    engine, sent = await open_engine(queue_limit=5), many(6)
    with pytest.raises(QueueFull, match="0 predictions wait for model, and there is no room for 6 more"):
        await engine.submit(sent, durable=durable)
    assert (await depth(engine)).queued == 0
    assert await engine.get(sent[0].message.prediction_id) is None
    await engine.submit(sent[:5], durable=durable)
    assert (await depth(engine)).queued == 5


async def test_without_bytes_for_all_none_is_accepted(open_engine: OpenEngine) -> None:
    engine = await open_engine(limit_bytes=20_000_000)
    large = [Submission(message(b'"%s"' % (b"x" * 3_000_000))) for _ in range(8)]
    with pytest.raises(DataFull):
        await engine.submit(large, durable=True)
    assert await receive_ids(engine) == []
    await engine.submit(large[:2], durable=True)
    assert len(await receive_ids(engine)) == 2


async def test_a_key_used_with_another_input_accepts_none(engine: Engine) -> None:
    await submit_one(engine, message(b"1"), durable=True, idempotency_key="key/1")
    sent = [Submission(message(b"1"), "key/0"), Submission(message(b"2"), "key/1"), Submission(message(b"3"), "key/2")]
    with pytest.raises(IdempotencyKeyReused):
        await engine.submit(sent, durable=True)
    assert (await depth(engine)).queued == 1
    assert (await submit_one(engine, message(b"9"), durable=True, idempotency_key="key/0")).status is Status.QUEUED


async def test_many_with_keys_are_the_same_when_sent_again(engine: Engine) -> None:
    first = await engine.submit(many(10, "night"), durable=False)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    again = await engine.submit(many(20, "night"), durable=False)
    assert [each.prediction_id for each in again[:10]] == [each.prediction_id for each in first]
    assert [each.status for each in again] == [Status.SUCCEEDED, *[Status.QUEUED] * 19]
    assert all(each.durable for each in again)
    assert (await depth(engine)).queued == 19


async def test_one_key_twice_in_one_submit_is_one_prediction(engine: Engine) -> None:
    sent = [Submission(message(b"1"), "key"), Submission(message(b"1"), "key"), Submission(message(b"2"), "other")]
    accepted = await engine.submit(sent, durable=True)
    assert len({each.prediction_id for each in accepted}) == 2
    assert (await depth(engine)).queued == 2


async def test_one_key_with_two_inputs_in_one_submit_is_refused(engine: Engine) -> None:
    with pytest.raises(IdempotencyKeyReused):
        await engine.submit([Submission(message(b"1"), "key"), Submission(message(b"2"), "key")], durable=True)
    assert (await depth(engine)).queued == 0


async def test_racing_submits_of_the_same_keys_are_accepted_once(engine: Engine) -> None:
    answers = await asyncio.gather(*(engine.submit(many(20, "key"), durable=True) for _ in range(5)))
    assert len({tuple(each.prediction_id for each in accepted) for accepted in answers}) == 1
    assert (await depth(engine)).queued == 20


async def test_known_keys_are_served_while_the_queue_is_full(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=3)
    first = await engine.submit(many(3, "key"), durable=True)
    again = await engine.submit(many(3, "key"), durable=True)
    assert [each.prediction_id for each in again] == [each.prediction_id for each in first]
    with pytest.raises(QueueFull):
        await engine.submit(many(4, "key"), durable=True)


async def test_one_submit_may_have_many_lanes(engine: Engine) -> None:
    low, high = message(options=Options(lane=Lane.LOW)), message(options=Options(lane=Lane.HIGH))
    await engine.submit([Submission(low), Submission(high)], durable=True)
    assert await receive_ids(engine) == [high.prediction_id, low.prediction_id]
    assert (await get(engine, low.prediction_id)).options == low.options
