"""The state of a model's queue, of the workers that serve it, and of the engine that keeps it."""

from datetime import datetime
from enum import StrEnum

import msgspec

from zypher.clock import elapsed_s
from zypher.model_card import ModelCard


class WorkerState(msgspec.Struct, frozen=True):
    """One worker; announced each time something about it changes."""

    worker_id: str
    model: str  # the model's name; "" until a replica has loaded it once
    card: ModelCard | None  # None until a replica has loaded it once
    replicas: int  # how many it is asked to keep, 0 of one that has stopped
    ready_replicas: int  # how many can take work now
    slots: int  # predictions it can run at once, over all ready replicas
    problem: str | None = None  # why a replica cannot start, a sentence
    stuck: tuple[str, ...] = ()  # of each replica that does not answer or could run nothing, a sentence
    draining: bool = False
    announced_at: datetime | None = None  # by its own clock: its last sign of life

    @property
    def gone(self) -> bool:
        """Whether this is the announcement of a worker that stops."""
        return self.replicas == 0


class QueueState(msgspec.Struct, frozen=True):
    """One model's queue at one moment: all of its predictions, whatever their lane; no notices."""

    queued: int  # waiting, delayed ones included
    running: int  # leased
    oldest_queued_at: datetime | None
    run_s: float | None  # moving average of the run time; None before the first
    limit: int  # how many may wait
    workers: tuple[WorkerState, ...]  # workers of this model that are alive
    problem: str | None = None  # why the engine cannot accept now, a sentence
    delayed: int = 0  # of the queued ones, those that wait for an instant
    dead: int = 0  # dead letters
    card: ModelCard | None = None  # the last one that was new; known until the model is forgotten
    paused: bool = False  # whether none is handed out
    data_bytes: int = 0  # about what is stored, as it counts against the limit; of the embedded engine all models'
    data_limit_bytes: int = 0

    def waited_s(self, now: datetime) -> float:
        """How long the oldest queued prediction has waited, 0 when none is queued."""
        return 0.0 if self.oldest_queued_at is None else elapsed_s(self.oldest_queued_at, now)


class WarningKind(StrEnum):
    """What may cost predictions or results, or soon keep the engine from being used."""

    EVICTS = "evicts"  # it forgets some when its memory is full
    NOT_PERSISTENT = "not_persistent"  # a crash of it loses some
    SAVE_FAILED = "save_failed"  # it could not write to its disk
    TOO_OLD = "too_old"  # its version
    CONNECTIONS = "connections"  # it takes no more of them, or only a few
    REPLICA = "replica"  # it is the copy of another, and takes no writes
    LOST_DATA = "lost_data"  # it came back empty or older, a while ago


class EngineWarning(msgspec.Struct, frozen=True):
    """Something about the engine that an operator should change or know, though predictions go on."""

    kind: WarningKind
    sentence: str  # for anybody: what is so and what to do, without address, path or password
