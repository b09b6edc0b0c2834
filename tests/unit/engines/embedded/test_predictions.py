"""Waits for what a prediction becomes, and what is reported of it."""

import asyncio

import pytest

from tests.contract.phrases import SUCCEEDED, message, receive_one, settle_one, submit_many, turns
from tests.fake_clock import FakeClock
from tests.unit.engines.embedded.opened import opened_with
from zypher.engines.embedded.engine_clock import EngineClock
from zypher.engines.embedded.memory.entry import Entry
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.prediction import Cancellation, Status


def accepted(predictions: Predictions) -> Entry:
    return predictions.entries[predictions.accept(message()).prediction_id]


async def test_a_wait_that_ended_leaves_no_waiter() -> None:
    clock = FakeClock()
    predictions = Predictions(clock, EngineClock(clock, 3600), queue_limit=10)
    entry = accepted(predictions)
    wait = asyncio.create_task(predictions.wait(entry, 1))
    await turns()
    clock.advance(1)
    assert (await wait).status is Status.QUEUED
    assert entry.waiters == []


async def test_a_cancelled_wait_stays_so_when_the_engine_closes() -> None:
    predictions = Predictions(FakeClock(), EngineClock(FakeClock(), 3600), queue_limit=10)
    wait = asyncio.create_task(predictions.wait(accepted(predictions), None))
    await turns()
    predictions.end_waits("It closes.")
    wait.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait


async def test_a_wait_for_events_lasts_to_its_end() -> None:
    clock = FakeClock()
    async with opened_with(MemoryJournal(clock), clock) as engine:
        (prediction_id,) = await submit_many(engine, 1, durable=False)
        wait = asyncio.create_task(engine.events(prediction_id, wait_s=0.5))
        await turns()
        clock.advance(0.4)
        await turns()
        assert not wait.done()
        clock.advance(0.1)
        assert await wait == []


async def test_a_cancel_is_too_late_while_an_end_is_stored() -> None:
    clock = FakeClock()
    async with opened_with(MemoryJournal(clock), clock) as engine:
        (prediction_id,) = await submit_many(engine, 1)
        settling = asyncio.create_task(settle_one(engine, await receive_one(engine), SUCCEEDED))
        await turns(1)  # it has begun
        assert await engine.cancel(prediction_id) is Cancellation.TOO_LATE
        assert await settling
