"""How many bytes may wait, and that what was accepted ends all the same."""

import asyncio

import pytest

from tests.contract.conftest import RETENTION_S, OpenEngine
from tests.contract.phrases import (
    LOST,
    MODEL,
    SUCCEEDED,
    message,
    receive_ids,
    receive_one,
    settle_one,
    status,
    submit_one,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.errors import DataFull
from zypher.prediction import Cancellation, Message, Outcome, Prediction, Status

MIB = 1_048_576
LIMIT_BYTES = 8 * MIB
LARGE = b'"' + b"x" * 1_000_000 + b'"'


@pytest.fixture
async def engine(open_engine: OpenEngine) -> Engine:
    return await open_engine(limit_bytes=LIMIT_BYTES)


async def submit(engine: Engine, message: Message) -> Prediction:
    return await submit_one(engine, message, durable=True)


async def fill(engine: Engine) -> list[Message]:
    """Submit until there is no room for another large input; returns those that were accepted."""
    accepted: list[Message] = []
    while len(accepted) < 20:
        sent = message(LARGE)
        try:
            await submit(engine, sent)
        except DataFull:
            return accepted
        accepted.append(sent)
    raise AssertionError("there is always room")


async def test_too_many_bytes_are_refused_with_the_setting(engine: Engine) -> None:
    accepted = await fill(engine)
    assert 5 <= len(accepted) <= 8
    sent = message(LARGE)
    with pytest.raises(DataFull, match=r"8 MiB that they may \(max_data_mb\)") as refused:
        await submit(engine, sent)
    assert refused.value.retry_after_s >= 1
    assert refused.value.public == str(refused.value)
    assert await engine.get(sent.prediction_id) is None
    assert await receive_ids(engine) == [each.prediction_id for each in accepted]


async def test_one_that_is_larger_than_all_may_be_is_refused(engine: Engine) -> None:
    with pytest.raises(DataFull):
        await submit(engine, message(bytes(LIMIT_BYTES + 1)))
    await submit(engine, message())


async def test_a_repeated_submit_succeeds_in_a_full_queue(engine: Engine) -> None:
    sent = message(b"1")
    await submit_one(engine, sent, durable=True, idempotency_key="k")
    await fill(engine)
    again = await submit_one(engine, message(b"1"), durable=True, idempotency_key="k")
    assert again.prediction_id == sent.prediction_id
    assert (await submit(engine, sent)).prediction_id == sent.prediction_id


async def test_what_was_accepted_ends_however_full(engine: Engine) -> None:
    accepted = await fill(engine)
    fifth = Outcome(Status.SUCCEEDED, output=bytes(LIMIT_BYTES // 5 * 3 // 4 // len(accepted)))
    async with asyncio.timeout(20):  # without a reserve it would wait for room
        for sent in accepted:
            assert await settle_one(engine, await receive_one(engine), fifth)
            assert await status(engine, sent.prediction_id) is Status.SUCCEEDED


async def test_space_is_freed_after_results_are_read(engine: Engine) -> None:
    for _ in range(3):
        accepted = await fill(engine)
        assert len(accepted) >= 5
        for sent in accepted:
            await settle_one(engine, await receive_one(engine), SUCCEEDED)
            await engine.read(sent.prediction_id)


async def test_space_is_freed_after_a_cancelled_result_is_read(engine: Engine) -> None:
    first, *_ = await fill(engine)
    assert await engine.cancel(first.prediction_id) is Cancellation.ENDED
    await engine.read(first.prediction_id)
    await submit(engine, message(LARGE))
    with pytest.raises(DataFull):
        await submit(engine, message(LARGE))


async def test_a_returned_prediction_takes_no_extra_memory(engine: Engine, clock: FakeClock) -> None:
    accepted = await fill(engine)
    for _ in range(3):
        delivery = await receive_one(engine)
        await engine.release(delivery, counted=True)
    assert await receive_ids(engine) == [each.prediction_id for each in accepted]
    with pytest.raises(DataFull):
        await submit(engine, message(LARGE))


async def test_one_whose_caller_waits_makes_room_when_it_ends(engine: Engine) -> None:
    for _ in range(20):
        await submit_one(engine, message(LARGE), durable=False)
        assert await settle_one(engine, await receive_one(engine), SUCCEEDED)


async def test_dead_letters_and_their_replay_keep_the_count(engine: Engine) -> None:
    sent = message(LARGE)
    for _ in range(10):
        await submit(engine, sent)
        await settle_one(engine, await receive_one(engine), LOST)
        assert await engine.replay(sent.prediction_id)
        await settle_one(engine, await receive_one(engine), LOST)
        assert await engine.purge(sent.prediction_id)
    assert len(await fill(engine)) >= 5


async def test_space_is_freed_after_the_retention(engine: Engine, clock: FakeClock) -> None:
    for _ in range(len(await fill(engine))):
        await settle_one(engine, await receive_one(engine), Outcome(Status.SUCCEEDED, output=b"1"))
    clock.advance(RETENTION_S + 1)
    clock.advance(60)
    while (await engine.queues(MODEL))[MODEL].queued < 5:
        try:
            await submit(engine, message(LARGE))
        except DataFull:
            clock.advance(1)
    assert len(await receive_ids(engine)) == 5
