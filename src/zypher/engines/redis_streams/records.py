"""What Redis holds of a prediction, and what scripts answer: values to bytes and back."""

import logging
from collections.abc import Mapping, Sequence

import msgspec

from zypher.engines.redis_streams.connection.failures import UnusableData
from zypher.engines.redis_streams.keys import to_text
from zypher.engines.stored import to_instant, to_options
from zypher.prediction import (
    NO_OPTIONS,
    Delivery,
    Failure,
    FailureKind,
    Message,
    Options,
    Outcome,
    Prediction,
    Status,
)

# The fields of a record that are read here; only lua/ needs the others.
FIELDS = ("at", "durable", "attempt", "started", "finished", "status", "run_s", "kind", "failure", "options", "output")
LISTED = FIELDS[:-1]

DAMAGED = Outcome(
    Status.FAILED,
    failure=Failure(FailureKind.DATA_LOST, "data_lost: what Redis kept of it is missing or damaged; send it again"),
)

Word = bytes | str | int

logger = logging.getLogger(__name__)


def storable(outcome: Outcome, longest_bytes: int) -> Outcome:
    """The outcome, or a failure in place of an output that is too long for Redis."""
    size_bytes = len(outcome.output or b"")
    if size_bytes <= longest_bytes:
        return outcome
    message = (
        f"The output has {size_bytes} bytes, and Redis keeps {longest_bytes} at most; return less, or where it can be "
        "found."
    )
    return Outcome(Status.FAILED, failure=Failure(FailureKind.INVALID_OUTPUT, message), run_s=outcome.run_s)


def outcome_arguments(outcome: Outcome) -> tuple[Word, ...]:
    """The last arguments of lua/settle.lua."""
    failure = outcome.failure
    kind, message = ("", b"") if failure is None else (failure.kind.value, failure.message.encode(errors="replace"))
    return (outcome.status.value, repr(outcome.run_s), outcome.output or b"", kind, message)


def read_prediction(
    prediction_id: str, model: str, fields: Sequence[bytes | None], *, running: bool = False, position: int = 0
) -> Prediction:
    """The prediction of a record's `FIELDS`, or of those `LISTED`: running, queued, or ended if it has a status.

    Raises `UnusableData` for a record that this version cannot read.
    """
    record = {name: field for name, field in zip(FIELDS, fields, strict=False) if field is not None}
    try:
        return _prediction(prediction_id, model, record, running=running, position=position)
    except (KeyError, ValueError, OverflowError):
        raise UnusableData(
            f"The record of prediction {prediction_id} in Redis is not one that this version of zypher can read; "
            "install the version that wrote it."
        ) from None


def read_published(prediction_id: str, model: str, result: bytes) -> Prediction:
    """The ended prediction from what lua/parts/ending.lua publishes with its id; the output comes last."""
    *before_failure, options, output = result.split(b"\0", 8)
    return read_prediction(prediction_id, model, [*before_failure, None, None, options, output])


def _prediction(
    prediction_id: str, model: str, record: Mapping[str, bytes], *, running: bool, position: int
) -> Prediction:
    outcome = _outcome(record)
    started = record.get("started") if running or outcome else None
    return Prediction(
        prediction_id=prediction_id,
        model=model,
        status=outcome.status if outcome else Status.RUNNING if running else Status.QUEUED,
        submitted_at=to_instant(int(record["at"])),
        attempt=int(record.get("attempt", 0)),
        position=position,
        started_at=None if started is None else to_instant(int(started)),
        finished_at=to_instant(int(record["finished"])) if outcome else None,
        outcome=outcome,
        durable=record["durable"] == b"1",
        options=_options(record.get("options", b"")) or NO_OPTIONS,
    )


def log_lost(model: str, lost: Sequence[bytes]) -> None:
    """Log what a script found to be lost: ids of predictions, which it ended as data_lost, or places in the stream."""
    for each in lost:
        about = {"model": model, "prediction_id": each.decode(errors="replace")}
        logger.error("lost: what Redis kept of it is missing or damaged", extra=about)


def read_deliveries(model: str, receipt: str, words: Sequence[bytes | int]) -> tuple[list[Delivery], list[Delivery]]:
    """The deliveries that lua/receive.lua returns, six words each, and those whose options cannot be read."""
    found: list[Delivery] = []
    damaged: list[Delivery] = []
    for place in range(0, len(words), 6):
        prediction_id, submitted_at, input, blob, attempt, unbegun = words[place : place + 6]
        assert isinstance(prediction_id, bytes)
        assert isinstance(submitted_at, bytes)
        assert isinstance(input, bytes)
        assert isinstance(blob, bytes)
        options = _options(blob)
        message = Message(to_text(prediction_id), model, input, to_instant(int(submitted_at)), options or NO_OPTIONS)
        delivery = Delivery(message, int(attempt), receipt, int(unbegun))
        (damaged if options is None else found).append(delivery)
    return found, damaged


def _options(blob: bytes) -> Options | None:
    """None for what is damaged or a newer version's."""
    try:
        return to_options(blob)
    except (msgspec.MsgspecError, ValueError):
        return None


def _outcome(record: Mapping[str, bytes]) -> Outcome | None:
    if "status" not in record:
        return None
    failure = None
    if "kind" in record:
        failure = Failure(FailureKind(record["kind"].decode()), record["failure"].decode())
    return Outcome(Status(record["status"].decode()), record.get("output"), failure, float(record.get("run_s", 0)))
