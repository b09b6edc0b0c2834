"""What engines store, in the form in which they do: instants, options, the notice of an end."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from zypher.prediction import NO_OPTIONS, Lane, Message, Options

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_IN_WEBHOOKS = Options(lane=Lane.WEBHOOKS)
_SEPARATOR = "-"  # in no id of a prediction


def to_microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970, UTC; exact for any aware instant: no float is involved."""
    return (instant - _EPOCH) // _MICROSECOND


def to_instant(microseconds: int) -> datetime:
    """The aware instant in UTC. Raises `OverflowError` beyond the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_blob(options: Options) -> bytes:
    """One piece of JSON, empty for the usual options."""
    return b"" if options == NO_OPTIONS else msgspec.json.encode(options)


@lru_cache(maxsize=1024)
def to_options(blob: bytes) -> Options:
    """Equal ones are the same object: a hundred thousand may wait. Raises `msgspec.MsgspecError`, `ValueError`."""
    if not blob:
        return NO_OPTIONS
    options = msgspec.json.decode(blob, type=Options)
    if options.deadline is not None and options.deadline.tzinfo is None:
        raise ValueError("a deadline without a time zone")
    return options


def notice_of(prediction_id: str, model: str, ended_at: datetime, number: int) -> Message:
    """The notice of a prediction's end; `number` is one that no prediction or notice of this model had before."""
    content = msgspec.json.encode(prediction_id)
    return Message(f"{prediction_id}{_SEPARATOR}{number}", model, content, ended_at, _IN_WEBHOOKS)
