"""Every queue and worker at one moment."""

from datetime import datetime

import msgspec

from zypher.clock import elapsed_s
from zypher.operations.dead_letters import OperatorEngine
from zypher.queue_state import QueueState, WorkerState


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


async def overview(engine: OperatorEngine, now: datetime) -> tuple[QueueView, ...]:
    """All queues, by model. Raises `EngineUnavailable`."""
    return tuple(queue_view(model, queue, now) for model, queue in (await engine.queues()).items())


def queue_view(model: str, queue: QueueState, now: datetime) -> QueueView:
    """The state of a model's queue, its instants as spans until `now`."""
    return QueueView(
        model=model,
        queued=queue.queued - queue.delayed,
        running=queue.running,
        delayed=queue.delayed,
        dead=queue.dead,
        limit=queue.limit,
        oldest_s=queue.waited_s(now),
        run_s=queue.run_s,
        problem=queue.problem,
        workers=tuple(_worker_view(worker, now) for worker in queue.workers),
    )


def _worker_view(worker: WorkerState, now: datetime) -> WorkerView:
    return WorkerView(
        worker_id=worker.worker_id,
        replicas=worker.replicas,
        ready_replicas=worker.ready_replicas,
        slots=worker.slots,
        draining=worker.draining,
        problem=worker.problem,
        silent_s=None if worker.announced_at is None else elapsed_s(worker.announced_at, now),
    )
