"""A prediction, in the records that all rooms share.

    Message   what was asked; crosses the queue and never changes
    Delivery  one handing-over of a message to a worker
    Outcome   how an attempt ended
    Prediction  its state at one moment

All records are frozen; the changing part lives in an engine.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

import msgspec


class Status(StrEnum):
    """Where a prediction stands. The last four are terminal: it ended, and only an operator's replay begins anew."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def terminal(self) -> bool:
        return self in _TERMINAL


_TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})


class FailureKind(StrEnum):
    """Why an attempt failed."""

    MODEL_ERROR = "model_error"  # the model raised
    INVALID_INPUT = "invalid_input"  # the model's own input type refused what its schema allowed
    INVALID_OUTPUT = "invalid_output"  # the model returned what is not JSON
    WORKER_LOST = "worker_lost"  # the process that ran it died
    DATA_LOST = "data_lost"  # the engine's own record of it is damaged


class Failure(msgspec.Struct, frozen=True):
    """Why a prediction failed, for the person who asked for it."""

    kind: FailureKind
    message: str  # a sentence without a traceback, such as "ValueError: no such colour"


class Outcome(msgspec.Struct, frozen=True):
    """How an attempt ended. Of `output` and `failure` the one that fits `status` is set."""

    status: Status  # terminal
    output: bytes | None = None  # JSON, of a prediction that succeeded
    failure: Failure | None = None  # of one that failed
    run_s: float = 0.0  # seconds the model took, 0 when it never ran


class Message(msgspec.Struct, frozen=True):
    """The immutable envelope that crosses a queue."""

    prediction_id: str
    model: str  # the model's name, see ModelCard
    input: bytes  # JSON, validated before acceptance
    submitted_at: datetime
    revision: str = ""  # of the model that accepted the input, see `revision_of`; "" when unknown


class Delivery(msgspec.Struct, frozen=True):
    """One handing-over of a message: ours until its lease ends."""

    message: Message
    attempt: int  # the number of the attempt that this will be once it begins, from 1
    receipt: str  # the fencing token of this delivery, made by the engine
    unbegun: int = 1  # times that it was handed out and no attempt is known to have begun, this one included


class Prediction(msgspec.Struct, frozen=True):
    """The state of a prediction at one moment."""

    prediction_id: str
    model: str
    status: Status
    submitted_at: datetime
    attempt: int = 0  # attempts that have begun
    position: int = 0  # place in its queue, 1 runs next; 0 unless queued
    started_at: datetime | None = None  # when the last attempt began
    finished_at: datetime | None = None  # when it became terminal
    outcome: Outcome | None = None  # set exactly when `status` is terminal
    durable: bool = True  # whether it survives a crash; False for a caller who waits


def new_prediction_id(now: datetime) -> str:
    """An unguessable id in 26 characters that sorts by time: milliseconds in ten digits, 80 random bits in sixteen.

    The digits are those of base32hex (RFC 4648 section 7) in lower case, whose alphabet keeps the order.
    """
    return _time_digits(int(now.timestamp() * 1000)) + next(_random_digits)


@lru_cache(maxsize=1)
def _time_digits(milliseconds: int) -> str:
    return "".join([_DIGIT_PAIRS[milliseconds >> shift & 0x3FF] for shift in (40, 30, 20, 10, 0)])


def _draw() -> Iterator[str]:
    """Sixteen random digits at a time.

    Drawn from the system for many ids at once: each draw lets a thread that is writing to disk go first, and the
    event loop would wait for it with every prediction.
    """
    while True:
        drawn = os.urandom(16 * 256).translate(_DIGIT_OF_BYTE).decode()
        for start in range(0, len(drawn), 16):
            yield drawn[start : start + 16]


_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_DIGIT_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_DIGIT_OF_BYTE = _DIGITS.encode() * 8  # each digit stands for eight of the 256 bytes: five random bits
_random_digits = _draw()
