"""Instants as engines store them: whole microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(instant: datetime) -> int:
    """Exact for any aware instant: no float is involved."""
    return (instant - _EPOCH) // _MICROSECOND


def to_instant(microseconds: int) -> datetime:
    """The aware instant in UTC. Raises `OverflowError` beyond the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=microseconds)
