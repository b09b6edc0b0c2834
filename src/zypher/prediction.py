"""A prediction, in the records that all rooms share.

    Message     what was asked, with its Options; crosses the queue and never changes
    Delivery    one handing-over of a message to a worker
    Event       what is said of a prediction before it ends
    Outcome     how an attempt ended
    Prediction  its state at one moment

All records are frozen; the changing part lives in an engine.
"""

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from enum import Enum, StrEnum
from functools import lru_cache

import msgspec
from msgspec.structs import replace


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
    TIMED_OUT = "timed_out"  # the attempt took longer than it may
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


class Lane(StrEnum):
    """A queue of a model's; each is first in, first out."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
    WEBHOOKS = "webhooks"  # what is to be said to others of predictions that ended


PRIORITIES = (Lane.HIGH, Lane.NORMAL, Lane.LOW)  # the lanes of predictions, the first ones first


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes with a message, from its acceptance to its end.

    An engine keeps it as one piece, and looks at `lane`, `deadline` and `notify` only.
    """

    lane: Lane = Lane.NORMAL
    deadline: datetime | None = None  # one that is queued at this instant expires
    notify: bool = False  # whether its end puts a notice in the lane `webhooks`
    timeout_s: float | None = None  # longest run of an attempt, at most the model's own; None: that one
    revision: str = ""  # of the model that accepted the input, see `revision_of`; "" when unknown


NO_OPTIONS = Options()


class Message(msgspec.Struct, frozen=True):
    """The immutable envelope that crosses a queue."""

    prediction_id: str
    model: str  # the model's name, see ModelCard
    input: bytes  # JSON, validated before acceptance
    submitted_at: datetime
    options: Options = NO_OPTIONS


class Delivery(msgspec.Struct, frozen=True, weakref=True):
    """One handing-over of a message: ours until its lease ends."""

    message: Message
    attempt: int  # the number of the attempt that this will be once it begins, from 1
    receipt: str  # the fencing token of this delivery, made by the engine
    unbegun: int = 1  # times that it was handed out and no attempt is known to have begun, this one included


class StopReason(StrEnum):
    """Why an attempt is to end before its time."""

    LEASE_LOST = "lease_lost"  # another worker may have the prediction; whatever this attempt returns does not count
    CANCELLED = "cancelled"  # its caller does not want the output any more
    TIMED_OUT = "timed_out"  # it runs longer than it may


class Cancellation(Enum):
    """What became of a cancel."""

    ENDED = 1  # the prediction is cancelled
    ASKED = 2  # it runs, and its worker is asked to stop it
    TOO_LATE = 3  # it had ended otherwise
    UNKNOWN = 4  # there is none of this id


class EventKind(StrEnum):
    """What an event says."""

    RUNNING = "running"  # an attempt began
    PROGRESS = "progress"  # how far it is
    OUTPUT = "output"  # a part of its output


class Event(msgspec.Struct, frozen=True):
    """What is said of a prediction before it ends."""

    kind: EventKind
    content: bytes  # JSON
    attempt: int = 0  # that said it; given by the engine, like the number
    number: int = 0  # from 1, one higher than that of the event before, whichever attempt it was of


class Prediction(msgspec.Struct, frozen=True):
    """The state of a prediction at one moment."""

    prediction_id: str
    model: str
    status: Status
    submitted_at: datetime
    attempt: int = 0  # attempts that have begun
    position: int = 0  # place in its queue, 1 runs next; 0 unless queued
    started_at: datetime | None = None  # when a worker received it, for the attempt that runs or the last one
    finished_at: datetime | None = None  # when it became terminal
    outcome: Outcome | None = None  # set exactly when `status` is terminal
    durable: bool = True  # whether it survives a crash; False for a caller who waits
    options: Options = NO_OPTIONS


def without_output(prediction: Prediction) -> Prediction:
    """The same without the output, which may be large."""
    outcome = prediction.outcome
    if outcome is None or outcome.output is None:
        return prediction
    return replace(prediction, outcome=replace(outcome, output=None))


def new_prediction_id(now: datetime, model: str) -> str:
    """An unguessable id in 28 characters that sorts by time.

    Milliseconds in ten digits, 75 random bits in fifteen, and three that nearly every model has for itself. The digits
    are those of base32hex (RFC 4648 section 7) in lower case, whose alphabet keeps the order.
    """
    return _time_digits(int(now.timestamp() * 1000)) + next(_random_digits) + _model_digits(model)


def may_be_of(prediction_id: str, model: str) -> bool:
    """Whether this may be the id of a prediction of this model. Most ids may be of one model only."""
    return len(prediction_id) != _ID_LENGTH or prediction_id.endswith(_model_digits(model))


@lru_cache(maxsize=1024)
def _model_digits(model: str) -> str:
    digest = hashlib.blake2b(model.encode(errors="surrogatepass"), digest_size=3).digest()
    return "".join([_DIGITS[byte % 32] for byte in digest])


@lru_cache(maxsize=1)
def _time_digits(milliseconds: int) -> str:
    return "".join([_DIGIT_PAIRS[milliseconds >> shift & 0x3FF] for shift in (40, 30, 20, 10, 0)])


def _draw() -> Iterator[str]:
    """Fifteen random digits at a time.

    Drawn from the system for many ids at once: each draw lets a thread that is writing to disk go first, and the
    event loop would wait for it with every prediction.
    """
    while True:
        drawn = os.urandom(_RANDOM_DIGITS * 256).translate(_DIGIT_OF_BYTE).decode()
        for start in range(0, len(drawn), _RANDOM_DIGITS):
            yield drawn[start : start + _RANDOM_DIGITS]


_RANDOM_DIGITS = 15
_ID_LENGTH = 10 + _RANDOM_DIGITS + 3
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_DIGIT_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_DIGIT_OF_BYTE = _DIGITS.encode() * 8  # each digit stands for eight of the 256 bytes: five random bits
_random_digits = _draw()
