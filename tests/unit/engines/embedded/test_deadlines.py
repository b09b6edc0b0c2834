"""What expires, and what of it stays in memory."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.phrases import LOST, MODEL, SUCCEEDED, message, receive_one, settle_one, status, submit_one, turns
from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.embedded.opened import opened, unwritable
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.deadlines import Deadlines
from zypher.engines.embedded.ending import Ending
from zypher.engines.embedded.engine_clock import EngineClock, Moment
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.errors import EngineUnavailable
from zypher.prediction import Options, Outcome, Status


def late(clock: FakeClock, seconds: float) -> Options:
    return Options(deadline=clock.now() + timedelta(seconds=seconds))


async def test_one_timer_serves_all_deadlines(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        ids = [
            (await submit_one(engine, message(options=late(clock, seconds)), durable=False)).prediction_id
            for seconds in (30, 10, 20)
        ]
        clock.advance(10)
        assert [await status(engine, each) for each in ids] == [Status.QUEUED, Status.EXPIRED, Status.QUEUED]
        clock.advance(20)
        assert [await status(engine, each) for each in ids] == [Status.EXPIRED] * 3


async def test_a_deadline_that_is_over_expires_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        sent = message(options=late(clock, -1))
        await submit_one(engine, sent, durable=True)
        ended = await engine.get(sent.prediction_id, None)
        assert ended is not None
        assert ended.status is Status.EXPIRED
        assert await engine.receive(MODEL, 1, 0) == []


async def test_deadlines_of_what_has_ended_do_not_pile_up() -> None:
    clock = FakeClock()
    journal = MemoryJournal(clock)
    predictions = Predictions(clock, EngineClock(clock, 3600), 100_000)
    deadlines = Deadlines(clock, predictions, _ending(clock, predictions, journal))
    options = late(clock, 3600)
    for _ in range(10_000):
        entry = predictions.entries[predictions.accept(message(options=options)).prediction_id]
        deadlines.add(entry)
        predictions.queue_of(entry).leave(entry)
        predictions.finish(entry, Outcome(Status.CANCELLED), Moment(clock.now(), 0))
    assert len(deadlines) <= 1_001


async def test_a_clock_that_jumps_hands_out_nothing_late(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        sent = message(options=late(clock, 5))
        await submit_one(engine, sent, durable=False)
        clock.stand_still(10)  # the timer is late
        assert await engine.receive(MODEL, 1, 0) == []
        await submit_one(engine, message(), durable=False)
        assert await settle_one(engine, await receive_one(engine), SUCCEEDED)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("set_by_s", [-100_000, -0.1, 100_000])
async def test_a_date_that_is_set_moves_no_deadline(tmp_path: Path, durable: bool, set_by_s: float) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        sent = message(options=late(clock, 50))
        await submit_one(engine, sent, durable=durable)
        clock.set_date(timedelta(seconds=set_by_s))
        clock.advance(49.8)
        assert await status(engine, sent.prediction_id) is Status.QUEUED
        clock.advance(0.2)
        assert await engine.receive(MODEL, 1, 0) == []
        ended = await engine.get(sent.prediction_id, None)
        assert ended is not None
        assert ended.status is Status.EXPIRED


@pytest.mark.parametrize(
    ("stopped_s", "status_then"), [(20, Status.QUEUED), (50, Status.EXPIRED), (-90, Status.QUEUED)]
)
async def test_a_stop_counts_for_a_deadline_as_dated(tmp_path: Path, stopped_s: float, status_then: Status) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        sent = message(options=late(clock, 50))
        await submit_one(engine, sent, durable=True)
    clock.set_date(timedelta(seconds=stopped_s))
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending)
        found = await engine.get(sent.prediction_id, None if status_then.terminal else 0)
        assert found is not None
        assert found.status is status_then
        clock.advance(50)  # never more than it had when it was accepted
        ended = await engine.get(sent.prediction_id, None)
        assert ended is not None
        assert ended.status is Status.EXPIRED


async def test_a_cancel_that_fails_at_the_deadline_starts_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        sent = message(options=late(clock, 5))
        await submit_one(engine, sent, durable=True)
        with unwritable(tmp_path):
            cancelling = asyncio.create_task(engine.cancel(sent.prediction_id))
            await turns(1)  # it has begun
            clock.advance(5)
            with pytest.raises(EngineUnavailable):
                await cancelling
        assert await engine.receive(MODEL, 1, 0) == []
        while await status(engine, sent.prediction_id) is Status.QUEUED:
            clock.advance(1)
            await turns()
        assert await status(engine, sent.prediction_id) is Status.EXPIRED


async def test_a_replayed_prediction_has_no_deadline_whatever_the_date(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        sent = message(options=late(clock, 50))
        await submit_one(engine, sent, durable=True)
        await settle_one(engine, await receive_one(engine), LOST)
        await engine.replay(sent.prediction_id)
        clock.set_date(timedelta(seconds=-100))
        clock.advance(60)
        clock.set_date(timedelta(seconds=1000))
        assert (await receive_one(engine)).message.prediction_id == sent.prediction_id


async def test_nothing_expires_once_the_engine_is_closed(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        receiving = asyncio.create_task(engine.receive(MODEL, 1, 60))
        await turns()
        options = (late(clock, 5), late(clock, 5))
        submits = [asyncio.create_task(submit_one(engine, message(options=each), durable=True)) for each in options]
        await turns(1)  # they have begun
        await engine.close()
        await asyncio.gather(receiving, *submits)
        clock.advance(100)
    async with opened(tmp_path, clock) as engine:
        assert (await engine.queues(MODEL))[MODEL].queued == 0


def _ending(clock: FakeClock, predictions: Predictions, journal: MemoryJournal) -> Ending:
    engine_clock = EngineClock(clock, 3600)
    return Ending(engine_clock, predictions, journal, DeadLetters(engine_clock, predictions, journal))
