"""When what is past its retention is forgotten, and that a wrong date makes nothing old."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.phrases import LOST, MODEL, SUCCEEDED, get, message, receive_one, settle_one, submit_one
from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.embedded.opened import RETENTION_S, count, opened, shell
from zypher.engines.contract import Engine
from zypher.engines.embedded.engine_clock import EngineClock
from zypher.engines.embedded.journal import Write
from zypher.engines.embedded.retention import Purger
from zypher.prediction import Status

DAY = timedelta(days=1)
TEN_YEARS_S = 10 * 365 * 86_400
PURGE_S = 60.0
KEY = "key"

both_ways = pytest.mark.parametrize("by", [2 * DAY, -2 * DAY], ids=["ahead", "behind"])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def end_two(engine: Engine, clock: FakeClock) -> list[str]:
    """The ids of one that succeeded, which has the key, and of a dead letter."""
    sent = [message(b"1"), message(b"2")]
    await eventually(lambda: clock.pending == 1)  # the first purge found nothing
    for one, key, outcome in zip(sent, (KEY, None), (SUCCEEDED, LOST), strict=True):
        await submit_one(engine, one, durable=True, idempotency_key=key)
        assert await settle_one(engine, await receive_one(engine), outcome)
    return [one.prediction_id for one in sent]


async def check_kept(engine: Engine, ids: Sequence[str]) -> None:
    """Both are found, listed and dead, and a submit with the key is the first one."""
    assert [(await get(engine, each)).status for each in ids] == [Status.SUCCEEDED, Status.FAILED]
    assert [each.prediction_id for each in (await engine.page(MODEL)).predictions] == [*reversed(ids)]
    assert [each.prediction_id for each in await engine.dead(MODEL, 10)] == ids[1:]
    assert (await submit_one(engine, message(b"1"), durable=True, idempotency_key=KEY)).prediction_id == ids[0]


async def check_forgotten(engine: Engine, ids: Sequence[str]) -> None:
    assert [await engine.get(each) for each in ids] == [None, None]
    assert await engine.dead(MODEL, 10) == []
    assert (await engine.page(MODEL)).predictions == []
    assert (await submit_one(engine, message(b"3"), durable=True, idempotency_key=KEY)).prediction_id not in ids


async def let_purge(clock: FakeClock) -> None:
    """Let a minute pass, and return once a purge has found nothing more."""
    await eventually(lambda: clock.pending)
    clock.advance(PURGE_S)
    await eventually(lambda: clock.pending == 1)


@both_ways
async def test_a_date_that_is_set_makes_nothing_old(tmp_path: Path, clock: FakeClock, by: timedelta) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await end_two(engine, clock)
        for each in (by, -by):
            clock.set_date(each)
            await let_purge(clock)
            await check_kept(engine, ids)


@both_ways
async def test_a_wrong_date_at_a_start_makes_nothing_old(tmp_path: Path, clock: FakeClock, by: timedelta) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await end_two(engine, clock)
    for each in (by, -by, by):
        clock.set_date(each)
        async with opened(tmp_path, clock) as engine:
            await let_purge(clock)
            await check_kept(engine, ids)


@both_ways
async def test_what_ended_under_a_wrong_date_goes_in_time(tmp_path: Path, clock: FakeClock, by: timedelta) -> None:
    clock.set_date(by)
    async with opened(tmp_path, clock) as engine:
        ids = await end_two(engine, clock)
        clock.set_date(-by)
        clock.advance(RETENTION_S - 1)
        await check_kept(engine, ids)
        clock.advance(1)
        await check_forgotten(engine, ids)


async def test_a_result_shows_the_date_of_its_end(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        clock.set_date(DAY)
        ended_at = clock.now()
        ids = await end_two(engine, clock)
        clock.set_date(-DAY)
        assert [(await get(engine, each)).finished_at for each in ids] == [ended_at, ended_at]
    async with opened(tmp_path, clock) as engine:
        assert [(await get(engine, each)).finished_at for each in ids] == [ended_at, ended_at]
        assert [each.finished_at for each in (await engine.page(MODEL)).predictions] == [ended_at, ended_at]


async def test_several_runs_and_stops_add_up_to_a_retention(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await end_two(engine, clock)
    for _ in range(3):
        clock.advance(60)  # stopped
        async with opened(tmp_path, clock) as engine:
            clock.advance(RETENTION_S / 3 - 61)
            await check_kept(engine, ids)
    async with opened(tmp_path, clock) as engine:
        clock.advance(3)
        await check_forgotten(engine, ids)


async def test_a_kill_loses_a_minute_of_the_clock_at_most(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path / "data", clock) as engine:
        ids = await end_two(engine, clock)
        await let_purge(clock)
        await let_purge(clock)
        clock.advance(PURGE_S - 1)  # since the clock was stored
        shutil.copytree(tmp_path / "data", tmp_path / "killed")
    clock.set_date(-DAY)  # else nothing is lost
    async with opened(tmp_path / "killed", clock) as engine:
        clock.advance(RETENTION_S - 2 * PURGE_S - 1)
        await check_kept(engine, ids)
        clock.advance(1)
        await check_forgotten(engine, ids)


async def test_a_clock_that_is_lost_makes_nothing_old(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await end_two(engine, clock)
    with shell(tmp_path) as connection:
        connection.execute("DELETE FROM engine_clock")
    clock.advance(2 * RETENTION_S)
    async with opened(tmp_path, clock) as engine:
        await let_purge(clock)
        await check_kept(engine, ids)
    assert "the data file is damaged" in caplog.text
    assert count(tmp_path, "engine_clock") == 1


async def test_dates_of_the_version_before_become_ages(tmp_path: Path, clock: FakeClock) -> None:
    began_at, ages_s = clock.now(), (RETENTION_S, RETENTION_S - 1, 1, -TEN_YEARS_S)
    ids = [f"{age_s} s old" for age_s in ages_s]
    with shell(tmp_path) as connection:
        connection.executescript((Path(__file__).parent / "version_4.sql").read_text(encoding="utf-8"))
        for number, (prediction_id, age_s) in enumerate(zip(ids, ages_s, strict=True), 100):
            at = round((began_at.timestamp() - age_s) * 1_000_000)
            connection.execute(
                "INSERT INTO predictions (number, prediction_id, model, submitted_at, input) "
                "VALUES (?, ?, 'model', 0, x'31')",
                (number, prediction_id),
            )
            connection.execute(
                "INSERT INTO outcomes (number, status, attempt, finished_at, run_s) VALUES (?, 'succeeded', 1, ?, 0)",
                (number, at),
            )
            connection.execute("INSERT INTO read_results (finished_at, number) VALUES (?, ?)", (at, number))
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending == 1)
        assert await engine.get(ids[0]) is None
        shown = [(await get(engine, each)).finished_at for each in ids[1:]]
        assert shown == [began_at - timedelta(seconds=age_s) for age_s in ages_s[1:]]
        clock.advance(RETENTION_S - 1)
        assert [await engine.get(each) is None for each in ids] == [True, True, True, False]
        await eventually(lambda: clock.pending == 1)
        clock.advance(PURGE_S + 1)
        await eventually(lambda: count(tmp_path, "outcomes") == count(tmp_path, "read_results") == 0)


async def test_the_end_of_the_duty_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def write(_: Write) -> None:
        raise ValueError("a bug")

    clock = FakeClock()
    purger = Purger(clock, EngineClock(clock, 1), write)
    purger.start()
    await eventually(lambda: bool(caplog.records))
    await purger.stop()
    assert "ValueError: a bug" in caplog.text
