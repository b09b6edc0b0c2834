"""What is remembered of predictions that ended, and how little."""

from datetime import UTC, datetime

from zypher.engines.embedded.engine_clock import Moment
from zypher.engines.embedded.memory.recent import Recent
from zypher.prediction import Outcome, Prediction, Status

AT = datetime(2026, 1, 1, tzinfo=UTC)


def ended(number: int, output_bytes: int = 1) -> Prediction:
    outcome = Outcome(Status.SUCCEEDED, output=b"1" * output_bytes)
    return Prediction(f"p{number}", "model", Status.SUCCEEDED, AT, finished_at=AT, outcome=outcome)


def test_the_oldest_go_first_when_there_are_many() -> None:
    recent = Recent()
    for number in range(5000):
        recent.keep(ended(number), Moment(AT, 0))
    assert "p0" not in recent
    assert sum(f"p{number}" in recent for number in range(5000)) == 4096
    assert recent.get("p4999") == (ended(4999), Moment(AT, 0), None, 1)


def test_the_oldest_go_first_when_they_are_large() -> None:
    recent = Recent()
    for number in range(10):
        recent.keep(ended(number, 1024 * 1024), Moment(AT, 0))
    assert [number for number in range(10) if f"p{number}" in recent] == [6, 7, 8, 9]


def test_the_newest_is_kept_however_large() -> None:
    recent = Recent()
    recent.keep(ended(1), Moment(AT, 0))
    recent.keep(ended(2, 20_000_000), Moment(AT, 0))
    assert "p1" not in recent
    assert "p2" in recent
    recent.keep(ended(3), Moment(AT, 0))
    assert "p2" not in recent
    assert "p3" in recent


def test_the_same_one_twice_counts_once() -> None:
    recent = Recent()
    recent.keep(ended(1, 1024 * 1024), Moment(AT, 0))
    for _ in range(10):
        recent.keep(ended(2, 1024 * 1024), Moment(AT, 0))
    assert "p1" in recent
