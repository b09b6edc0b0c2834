"""When what is past its retention is deleted, and when the clock is not trusted to say so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.phrases import SUCCEEDED, receive_one, settle_one, status, submit_many
from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.embedded.opened import UnevenClock, count, opened
from zypher.engines.embedded.journal import Write
from zypher.engines.embedded.retention import Purger, Reading, clocks_agree
from zypher.prediction import Status

AT = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s", "agree"),
    [
        (60, 60, True),
        (0, 59, True),
        (59, 0, True),
        (86_400, 60, False),
        (-86_400, 60, False),
        (60, 86_400, False),
        (86_400, 86_400, True),
    ],
)
def test_clocks_agree_when_they_saw_the_same_time_pass(wall_s: float, monotonic_s: float, agree: bool) -> None:
    after = Reading(AT + timedelta(seconds=wall_s), 5 + monotonic_s)
    assert clocks_agree(Reading(AT, 5), after) is agree


async def test_a_wrong_date_that_is_set_right_deletes_nothing(tmp_path: Path) -> None:
    clock = UnevenClock()
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending == 1)  # the first purge found nothing
        (prediction_id,) = await submit_many(engine, 1)
        await settle_one(engine, await receive_one(engine), SUCCEEDED)
        clock.set_date(DAY)
        clock.advance(120)
        await eventually(lambda: clock.pending == 1)
        clock.set_date(-DAY)
        assert await status(engine, prediction_id) is Status.SUCCEEDED
        assert count(tmp_path, "outcomes") == 1


async def test_a_date_that_stays_counts(tmp_path: Path) -> None:
    clock = UnevenClock()
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending == 1)
        await submit_many(engine, 1)
        await settle_one(engine, await receive_one(engine), SUCCEEDED)
        clock.set_date(DAY)
        clock.advance(120)
        await eventually(lambda: clock.pending == 1)
        assert count(tmp_path, "outcomes") == 1
        clock.advance(3600)
        await eventually(lambda: count(tmp_path, "outcomes") == 0)


async def test_the_end_of_the_duty_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def write(_: Write) -> None:
        raise ValueError("a bug")

    purger = Purger(FakeClock(), 1, write)
    purger.start()
    await eventually(lambda: bool(caplog.records))
    await purger.stop()
    assert "ValueError: a bug" in caplog.text
