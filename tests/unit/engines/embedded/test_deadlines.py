"""What expires, and what of it stays in memory."""

from datetime import timedelta
from pathlib import Path

from tests.contract.phrases import MODEL, SUCCEEDED, message, receive_one, settle_one, status, submit_one
from tests.fake_clock import FakeClock
from tests.unit.engines.embedded.opened import opened
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.deadlines import Deadlines
from zypher.engines.embedded.ending import Ending
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.engines.embedded.memory.predictions import Predictions
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
    predictions = Predictions(clock, 100_000)
    deadlines = Deadlines(clock, predictions, _ending(clock, predictions, journal))
    options = late(clock, 3600)
    for _ in range(10_000):
        entry = predictions.entries[predictions.accept(message(options=options)).prediction_id]
        deadlines.add(entry)
        predictions.queue_of(entry).leave(entry)
        predictions.finish(entry, Outcome(Status.CANCELLED), clock.now())
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


def _ending(clock: FakeClock, predictions: Predictions, journal: MemoryJournal) -> Ending:
    return Ending(clock, predictions, journal, DeadLetters(clock, predictions, journal, 3600))
