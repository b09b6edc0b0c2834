"""The record of a prediction: what its callers may see of it, as JSON."""

from datetime import datetime

import msgspec
from msgspec import UNSET, Raw, UnsetType

from zypher.prediction import FailureKind, Prediction, Status
from zypher.text import encodable, shortened


class _Record(msgspec.Struct, frozen=True):
    """What there is none of is null; the last three are left out unless they say how it ended."""

    prediction_id: str
    model: str | None  # None where it cannot be read any more
    revision: str | None  # None of one that an earlier version accepted
    status: Status
    position: int | None  # place in its queue, 1 runs next
    submitted_at: datetime
    started_at: datetime | None  # when a worker received it, for the attempt that runs or the last one
    finished_at: datetime | None
    attempt: int  # attempts that have begun
    progress: Raw | None  # what the attempt that runs has reported last
    output: Raw | UnsetType = UNSET  # may be null, as the model's own
    error: str | UnsetType = UNSET  # why there is no output
    kind: FailureKind | UnsetType = UNSET


def record_of(prediction: Prediction, progress: bytes | None) -> bytes:
    """The record; `progress` is JSON. Dates are those of RFC 3339 in UTC, with Z."""
    outcome = prediction.outcome
    record = _Record(
        prediction_id=prediction.prediction_id,
        model=encodable(prediction.model) or None,
        revision=encodable(prediction.options.revision) or None,
        status=prediction.status,
        position=prediction.position or None,
        submitted_at=prediction.submitted_at,
        started_at=prediction.started_at,
        finished_at=prediction.finished_at,
        attempt=prediction.attempt,
        progress=None if progress is None else Raw(progress),
        output=UNSET if outcome is None or outcome.output is None else Raw(outcome.output),
        error=UNSET if outcome is None or outcome.output is not None else shortened(error_of(prediction)),
        kind=UNSET if outcome is None or outcome.failure is None else outcome.failure.kind,
    )
    return msgspec.json.encode(record)


def error_of(prediction: Prediction) -> str:
    """Why a prediction ended without an output, for its callers."""
    failure = prediction.outcome.failure if prediction.outcome else None
    if failure is None:
        ended = "expired before it could run" if prediction.status is Status.EXPIRED else "was cancelled"
        return f"Prediction {ended}; send it again if you still want it."
    if failure.kind is FailureKind.INVALID_INPUT:
        return failure.message
    return f"Prediction failed: {failure.message}"
