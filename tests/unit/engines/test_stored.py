from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from zypher.engines.stored import to_instant, to_microseconds


def test_the_first_instant_is_1970() -> None:
    assert to_instant(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert to_microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000


def test_an_instant_of_another_zone_is_the_same() -> None:
    zone = timezone(timedelta(hours=2))
    assert to_microseconds(datetime(2026, 1, 1, 2, tzinfo=zone)) == to_microseconds(datetime(2026, 1, 1, tzinfo=UTC))


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_microsecond_is_lost(instant: datetime) -> None:
    assert to_instant(to_microseconds(instant)) == instant
