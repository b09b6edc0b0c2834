"""The protocol between a worker and its replicas: which messages there are.

    worker  -> replica   Load, then Run, Stop and Ping
    replica -> worker    Loaded | LoadFailed, then one Succeeded | Failed | Stopped for each Run, in any order,
                         before it as many Reported as it likes, one Pong for each Ping, and of a model with
                         `predict_batch` one Batched for each batch

Each is a msgpack array that begins with its tag; `frames` puts them on the wire. Whether an attempt has begun is
no message: the replica notes it in memory that both share, see `begun`. The end of the stream is the order to
stop, and the sign of death.
"""

from enum import StrEnum

import msgspec

from zypher.model_card import ModelCard
from zypher.prediction import EventKind, FailureKind, StopReason
from zypher.settings import LogSettings


class Load(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Load the model; the first message to a replica, and sent once."""

    target: str
    slots: int | None  # None: what the model states
    path: list[str]  # folders to import from, in front of the replica's own
    device: str  # such as "cuda:1"; "" for none
    environment: dict[str, str]  # variables to set before the model is imported
    max_output_bytes: int
    max_batch_size: int | None  # None: what the model states
    max_batch_wait_s: float | None
    log: LogSettings  # with the format chosen
    log_mark: bytes  # in front of the records in its log, see `log_lines`


class Run(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Make an attempt."""

    number: int  # of this attempt, unique on this connection, from 1
    prediction_id: str
    attempt: int  # of this prediction, from 1
    input: bytes  # JSON


class Stop(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """End an attempt that may not have begun; answered like any other, by how it ended."""

    number: int
    reason: StopReason


class Ping(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """Answer from where the model's attempts are looked after."""


class Loaded(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """The model is set up; the first message of a replica that can work, and sent once."""

    card: ModelCard


class LoadFailed(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """The model could not be set up; the only message of a replica that cannot work."""

    message: str  # one sentence
    details: str  # the user's own traceback, may be empty


class Succeeded(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """An attempt returned."""

    number: int
    output: bytes  # JSON
    run_s: float


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """An attempt did not return an output."""

    number: int
    kind: FailureKind
    message: str  # one sentence
    details: str  # the user's own traceback, for the log
    run_s: float


class Stopped(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """An attempt ended because it was stopped."""

    number: int
    begun: bool  # False: it was dropped before the model had it
    run_s: float


class Pong(msgspec.Struct, frozen=True, array_like=True, tag=10):
    """The answer to a Ping."""

    problem: str  # why no attempt can run in this process now, as "has too many open files"; "" for nothing


class Reported(msgspec.Struct, frozen=True, array_like=True, tag=11):
    """An attempt that runs has an event to be published; one that comes after its ending is dropped."""

    number: int
    kind: EventKind
    content: bytes  # JSON


class BatchReason(StrEnum):
    """Why a batch went."""

    FULL = "full"  # as many waited as it may have
    WAITED = "waited"  # its oldest member had waited as long as one may
    ALONE = "alone"  # its only member is not to run with others, as after a batch that raised


class Batched(msgspec.Struct, frozen=True, array_like=True, tag=12):
    """A batch has ended; some of its members may run again, alone."""

    size: int
    waited_s: float  # its oldest member, in the replica
    reason: BatchReason


ToReplica = Load | Run | Stop | Ping
ToWorker = Loaded | LoadFailed | Succeeded | Failed | Stopped | Pong | Reported | Batched
