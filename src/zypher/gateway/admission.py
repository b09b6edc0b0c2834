"""Whether a prediction may be accepted now, and when to ask again: pure decisions."""

import math
from enum import Enum

from zypher.errors import Draining, EngineUnavailable, NoReplica, Unavailable
from zypher.model_card import ModelCard
from zypher.queue_state import QueueState

_LOADING = "No worker has loaded the model yet."
STUCK = "A replica does not answer; the log of its worker says which."
_NONE_RUNS = "No replica can run the model now"
_LONGEST_RETRY_S = 3_600
_DRAINING_RETRY_S = 5
_LOADING_RETRY_S = 2
_FAILING_RETRY_S = 5


class Demand(Enum):
    """What the sender of a prediction wants."""

    OUTPUT = 1  # the output, however long that takes: it needs a replica
    OUTPUT_IN_TIME = 2  # the output within a time, else that the prediction is durable
    DURABLE = 3  # that the prediction is durable, and runs once it can


def admit(card: ModelCard | None, queue: QueueState, demand: Demand, *, draining: bool) -> Unavailable | None:
    """The error to raise, with when to try again; None when the prediction is accepted."""
    if draining:
        return Draining("The server is stopping and takes no new predictions; send it again.", _DRAINING_RETRY_S)
    if card is None:
        return NoReplica(f"{_LOADING} Try again in a moment.", _LOADING_RETRY_S)
    if queue.problem and demand is Demand.DURABLE:
        return EngineUnavailable(queue.problem, retry_after_s(queue.queued + 1, queue))
    return no_replica(queue) if demand is Demand.OUTPUT else None


def revisions(queue: QueueState) -> tuple[ModelCard, ...]:
    """The cards whose inputs are accepted, the last one that was new first: those of living workers, else that one."""
    cards = [worker.card for worker in queue.workers if worker.card is not None and not worker.draining]
    if queue.card is not None and (not cards or queue.card in cards):
        cards.insert(0, queue.card)
    distinct: list[ModelCard] = []
    for card in cards:
        if card not in distinct:
            distinct.append(card)
    return tuple(distinct)


def no_replica(queue: QueueState) -> NoReplica | None:
    """Why no replica can run the model, if none can and none is on its way."""
    if has_replica(queue):
        return None
    staying = [worker for worker in queue.workers if not worker.draining]
    problems = [worker.problem for worker in staying if worker.problem]
    if problems:
        # A worker's sentence may hold a path, an address or an exception of the model.
        public = f"{_NONE_RUNS}; the log of its worker says why."
        return NoReplica(f"{_NONE_RUNS}: {problems[0]}", _FAILING_RETRY_S, public=public)
    if staying:
        return None
    return NoReplica("No worker serves the model now; start one, or try again later.", _FAILING_RETRY_S)


def has_replica(queue: QueueState) -> bool:
    """Whether a replica can take work now."""
    return any(worker.ready_replicas and not worker.draining for worker in queue.workers)


def unready(card: ModelCard | None, queue: QueueState, *, draining: bool) -> tuple[Unavailable, ...]:
    """Everything that keeps the server from accepting."""
    if draining:
        return (Draining("The server is stopping."),)
    if card is None:
        return (NoReplica(_LOADING),)
    return (EngineUnavailable(queue.problem),) if queue.problem else ()


def unready_to_run(card: ModelCard | None, queue: QueueState, *, draining: bool) -> tuple[Unavailable, ...]:
    """Everything that keeps a prediction sent now from running."""
    errors = list(unready(card, queue, draining=draining))
    if draining or card is None:
        return tuple(errors)
    missing = no_replica(queue) or (None if has_replica(queue) else NoReplica("No replica is ready."))
    errors += [] if missing is None else [missing]
    # The sentences name predictions, whose ids are for their callers.
    return (*errors, *(NoReplica(stuck, public=STUCK) for worker in queue.workers for stuck in worker.stuck))


def retry_unserved_s(waited_s: float) -> int:
    """Whole seconds until it is worth asking for a prediction again that no worker can run: longer and longer."""
    return max(_FAILING_RETRY_S, min(_LONGEST_RETRY_S, math.ceil(waited_s / 2)))


def retry_after_s(position: int, queue: QueueState) -> int:
    """Whole seconds until a prediction at this place may have ended, at least 1.

    `position` 0 means that it runs already: half a run is left on average.
    """
    run_s = queue.run_s or 0.0
    slots = max(1, sum(worker.slots for worker in queue.workers))
    runs = 0.5 if position == 0 else math.ceil((position + queue.running) / slots)
    return max(1, min(_LONGEST_RETRY_S, math.ceil(runs * run_s)))
