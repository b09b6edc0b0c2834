"""What a journal in memory forgets, and when: its bytes are bounded, and nothing of what it deleted stays."""

import asyncio
import gc
import tracemalloc

import pytest

from tests.contract.phrases import LOST, MODEL, message, receive_one, settle_one, status, submit_many, submit_one
from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.embedded.opened import RETENTION_S, opened_with
from zypher.engines.contract import Engine
from zypher.engines.embedded.journal import FindResult
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.errors import DataFull, EngineUnavailable
from zypher.prediction import Outcome, Status

MIB = 1_048_576
LIMIT_BYTES = 8 * MIB
HALF = b'"' + b"x" * (MIB // 2) + b'"'
LARGE = Outcome(Status.SUCCEEDED, output=HALF)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(clock: FakeClock) -> MemoryJournal:
    return MemoryJournal(clock, LIMIT_BYTES)


async def submit(engine: Engine, input: bytes = b"1") -> str:
    return (await submit_one(engine, message(input), durable=True)).prediction_id


async def run(engine: Engine, number: int, outcome: Outcome = LARGE) -> list[str]:
    """The ids of so many new predictions with this outcome."""
    ids = await submit_many(engine, number)
    for _ in ids:
        assert await settle_one(engine, await receive_one(engine), outcome)
    return ids


async def kept(journal: MemoryJournal, ids: list[str]) -> list[bool]:
    """Of which the journal has the results; the engine has those of the last ones besides."""
    found: list[bool] = []
    for prediction_id in ids:
        journal.read(FindResult(prediction_id, 0, lambda result: found.append(result is not None)))
    await eventually(lambda: len(found) == len(ids))
    return found


async def fill(engine: Engine) -> list[str]:
    """Submit until there is no room; returns the ids of what was accepted."""
    ids: list[str] = []
    try:
        while len(ids) < 100:
            ids.append(await submit(engine, HALF))
    except DataFull:
        return ids
    raise AssertionError("there is always room")


async def test_read_results_are_deleted_in_order_of_their_ends(clock: FakeClock, journal: MemoryJournal) -> None:
    async with opened_with(journal, clock) as engine:
        ids = await run(engine, 12)
        await fill(engine)
        for number in (5, 2, 7):
            await engine.read(ids[number])
        for left in ([5, 7], [7], []):
            await submit(engine, HALF)
            gone = [number for number, there in enumerate(await kept(journal, ids)) if not there]
            assert sorted([*gone, *left]) == [2, 5, 7]


async def test_unread_results_and_dead_letters_are_not_deleted(clock: FakeClock, journal: MemoryJournal) -> None:
    async with opened_with(journal, clock) as engine:
        dead = await submit(engine, HALF)
        assert await settle_one(engine, await receive_one(engine), LOST)
        await engine.read(dead)
        ids = await run(engine, 10)
        await fill(engine)
        assert all(await kept(journal, [dead, *ids]))
        assert await engine.replay(dead)


async def test_an_ended_prediction_frees_its_input(clock: FakeClock, journal: MemoryJournal) -> None:
    async with opened_with(journal, clock) as engine:
        for _ in range(50):
            await submit(engine, HALF)
            assert await settle_one(engine, await receive_one(engine), Outcome(Status.SUCCEEDED, output=b"1"))


async def test_an_outcome_without_room_waits_for_it(clock: FakeClock, journal: MemoryJournal) -> None:
    async with opened_with(journal, clock) as engine:
        ids = await submit_many(engine, 20)
        deliveries = [await receive_one(engine) for _ in ids]
        settles = [asyncio.ensure_future(settle_one(engine, delivery, LARGE)) for delivery in deliveries]
        await eventually(lambda: sum(settle.done() for settle in settles) == 15)
        assert "outcomes wait for room" in ((await engine.queues(MODEL))[MODEL].problem or "")
        with pytest.raises(EngineUnavailable, match="outcomes wait for room"):
            await submit(engine)
        for prediction_id in ids[:5]:
            await engine.read(prediction_id)
        clock.advance(1)
        assert all(await asyncio.gather(*settles))
        assert (await engine.queues(MODEL))[MODEL].problem is None
        assert await kept(journal, ids) == [False] * 5 + [True] * 15


async def test_what_is_past_its_retention_is_deleted(clock: FakeClock, journal: MemoryJournal) -> None:
    async with opened_with(journal, clock) as engine:
        await eventually(lambda: clock.pending == 1)  # the first purge found nothing
        ids = await run(engine, 12)
        for prediction_id in ids[6:]:
            await engine.read(prediction_id)
        clock.advance(RETENTION_S + 61)
        await eventually(lambda: clock.pending == 1)
        assert len(await fill(engine)) == 12


async def test_deleted_predictions_leave_nothing_in_memory(clock: FakeClock, journal: MemoryJournal) -> None:
    async with opened_with(journal, clock) as engine:

        async def pass_through(number: int) -> None:
            for _ in range(number):
                await engine.read(*(await run(engine, 1)))

        await pass_through(40)
        gc.collect()
        tracemalloc.start()
        try:
            await pass_through(400)
            gc.collect()
            grown_bytes, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert grown_bytes < 4 * LIMIT_BYTES


async def test_a_close_gives_the_results_that_are_due(journal: MemoryJournal) -> None:
    found: list[object] = []
    journal.open()
    journal.read(FindResult("unknown", 0, found.append))
    await journal.close()
    assert found == [None]


async def test_a_key_is_free_again_after_the_retention(clock: FakeClock, journal: MemoryJournal) -> None:
    async with opened_with(journal, clock) as engine:
        await eventually(lambda: clock.pending == 1)
        sent = message()
        await submit_one(engine, sent, durable=True, idempotency_key="key")
        assert await settle_one(engine, await receive_one(engine), LARGE)
        clock.advance(RETENTION_S)  # it is not purged yet
        fresh = await submit_one(engine, message(b"2"), durable=True, idempotency_key="key")
        assert fresh.prediction_id != sent.prediction_id
        assert await status(engine, fresh.prediction_id) is Status.QUEUED
