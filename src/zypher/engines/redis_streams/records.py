"""A prediction's record in Redis and the words of a settle: values to bytes and back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from zypher.engines.redis_streams.keys import to_text
from zypher.prediction import Delivery, Failure, FailureKind, Message, Outcome, Prediction, Status

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Word = bytes | str | int


def to_microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def to_instant(microseconds: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))


def outcome_words(outcome: Outcome) -> tuple[Word, ...]:
    """The last arguments of lua/settle.lua."""
    failure = outcome.failure
    kind, message = ("", b"") if failure is None else (failure.kind.value, failure.message.encode(errors="replace"))
    return (outcome.status.value, repr(outcome.run_s), outcome.output or b"", kind, message)


def read_prediction(
    prediction_id: str, model: str, fields: Sequence[bytes], *, running: bool = False, position: int = 0
) -> Prediction:
    """The prediction that a record's fields tell of, ended unless it waits or runs."""
    record = dict(_pairs(fields))
    outcome = _outcome(record)
    started = record.get(b"started") if running or outcome else None
    return Prediction(
        prediction_id=prediction_id,
        model=model,
        status=outcome.status if outcome else Status.RUNNING if running else Status.QUEUED,
        submitted_at=to_instant(record[b"at"]),
        attempt=int(record.get(b"attempt", 0)),
        position=position,
        started_at=None if started is None else to_instant(started),
        finished_at=to_instant(record[b"finished"]) if outcome else None,
        outcome=outcome,
        durable=record[b"durable"] == b"1",
    )


def read_deliveries(model: str, receipt: str, words: Sequence[bytes | int]) -> list[Delivery]:
    """The deliveries that lua/receive.lua tells of, four words each."""
    found: list[Delivery] = []
    for place in range(0, len(words), 4):
        prediction_id, submitted_at, input, attempt = words[place : place + 4]
        assert isinstance(prediction_id, bytes)
        assert isinstance(submitted_at, bytes)
        assert isinstance(input, bytes)
        message = Message(to_text(prediction_id), model, input, to_instant(submitted_at))
        found.append(Delivery(message, int(attempt), receipt))
    return found


def _outcome(record: Mapping[bytes, bytes]) -> Outcome | None:
    if b"status" not in record:
        return None
    failure = None
    if b"kind" in record:
        failure = Failure(FailureKind(record[b"kind"].decode()), record[b"failure"].decode())
    run_s = float(record.get(b"run_s", 0))
    return Outcome(Status(record[b"status"].decode()), record.get(b"output"), failure, run_s)


def _pairs(fields: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(fields[::2], fields[1::2], strict=True)
