"""What passes between two dates."""

from datetime import UTC, datetime, timedelta

import pytest

from zypher.clock import elapsed_s

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("later_s", "passed_s"), [(2.5, 2.5), (0, 0), (-0.001, 0), (-172_800, 0)])
def test_time_between_two_dates_is_never_negative(later_s: float, passed_s: float) -> None:
    assert elapsed_s(AT, AT + timedelta(seconds=later_s)) == passed_s
