"""What the engine clock counts, whatever the date is set to."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fake_clock import FakeClock
from zypher.engines.embedded.engine_clock import EngineClock, Moment, longest_stop_us, reading_after_stop

AT = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_S = 86_400.0
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("stopped", "counts_us"),
    [
        (timedelta(), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(hours=1), HOUR_US),
        (timedelta(hours=1, microseconds=1), HOUR_US),
        (2 * DAY, HOUR_US),
        (-2 * DAY, 0),
        (datetime.max.replace(tzinfo=UTC) - AT, HOUR_US),
        (datetime.min.replace(tzinfo=UTC) - AT, 0),
    ],
)
def test_a_stop_counts_from_nothing_to_an_hour(stopped: timedelta, counts_us: int) -> None:
    assert reading_after_stop(Moment(AT, 5), AT + stopped, HOUR_US) == 5 + counts_us


@pytest.mark.parametrize(("hours", "part"), [(24, 24), (24 * 7, 24 * 7), (1, 24), (12, 24), (0, 1)])
def test_a_stop_counts_less_with_a_short_retention(hours: int, part: int) -> None:
    assert longest_stop_us(hours * HOUR_US) == hours * HOUR_US // part


@pytest.mark.parametrize("by", [2 * DAY, -2 * DAY])
def test_a_date_that_is_set_changes_no_reading(by: timedelta) -> None:
    clock = FakeClock()
    engine_clock = EngineClock(clock, DAY_S)
    engine_clock.start(None)
    before = engine_clock.moment()
    clock.set_date(by)
    clock.advance(2.5)
    after = engine_clock.moment()
    assert after.reading_us - before.reading_us == 2_500_000
    assert after.date - before.date == by + timedelta(seconds=2.5)


def test_it_begins_with_the_date_and_outlasts_a_stop() -> None:
    clock = FakeClock(AT)
    first, second = EngineClock(clock, DAY_S), EngineClock(clock, DAY_S)
    first.start(None)
    assert first.moment().reading_us == round(AT.timestamp() * 1_000_000)
    clock.advance(7)
    stored = first.moment()
    clock.advance(60)
    second.start(stored)
    assert second.moment().reading_us == stored.reading_us + 60_000_000
    assert second.kept_since_us() == second.moment().reading_us - round(DAY_S) * 1_000_000
