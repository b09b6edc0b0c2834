"""How every queue and worker is doing at one moment."""

from datetime import datetime

import msgspec

from zypher.engines.engine import Operations
from zypher.presence import Depth, Presence


class WorkerView(msgspec.Struct, frozen=True):
    """One worker."""

    worker_id: str
    replicas: int  # how many it is asked to keep
    ready_replicas: int
    slots: int
    draining: bool
    problem: str | None  # why a replica cannot start, a sentence
    silent_s: float | None  # since its last sign of life; None when it gave no instant


class QueueView(msgspec.Struct, frozen=True):
    """One model's queue. A prediction is counted once."""

    model: str
    queued: int  # could run now
    running: int
    delayed: int  # wait for their time
    dead: int
    limit: int  # how many may wait
    oldest_s: float  # how long the oldest one has waited, 0 when none waits
    run_s: float | None  # moving average of the run time
    problem: str | None  # why the engine cannot accept now, a sentence
    workers: tuple[WorkerView, ...]


async def overview(operations: Operations, now: datetime) -> tuple[QueueView, ...]:
    """All queues, by model. Raises `EngineUnavailable`."""
    return tuple(queue_view(model, depth, now) for model, depth in (await operations.depths()).items())


def queue_view(model: str, depth: Depth, now: datetime) -> QueueView:
    """What `depth` says of a model's queue at `now`."""
    return QueueView(
        model=model,
        queued=depth.queued - depth.delayed,
        running=depth.running,
        delayed=depth.delayed,
        dead=depth.dead,
        limit=depth.limit,
        oldest_s=depth.waited_s(now),
        run_s=depth.run_s,
        problem=depth.problem,
        workers=tuple(_worker_view(presence, now) for presence in depth.presences),
    )


def _worker_view(presence: Presence, now: datetime) -> WorkerView:
    said_at = presence.announced_at
    return WorkerView(
        worker_id=presence.worker_id,
        replicas=presence.replicas,
        ready_replicas=presence.ready_replicas,
        slots=presence.slots,
        draining=presence.draining,
        problem=presence.problem,
        # The clocks of two machines differ a little: a worker does not speak from the future.
        silent_s=None if said_at is None else max(0.0, (now - said_at).total_seconds()),
    )
