"""Whether a prediction may be accepted now: a pure decision."""

from zypher.errors import Draining, EngineUnavailable, NoReplica, Refused
from zypher.gateway.estimate import retry_after_s
from zypher.presence import Depth, ModelCard

_LOADING = "No worker has loaded the model yet."
_NONE_RUNS = "No replica can run the model now"
_DRAINING_RETRY_S = 5
_LOADING_RETRY_S = 2
_FAILING_RETRY_S = 5


def admit(card: ModelCard | None, depth: Depth, *, draining: bool, durable: bool) -> ModelCard | Refused:
    """The model that it is for; or why not, with when to try again."""
    if draining:
        return Draining("The server is stopping and takes no new predictions; send it again.", _DRAINING_RETRY_S)
    if card is None:
        return NoReplica(f"{_LOADING} Try again in a moment.", _LOADING_RETRY_S)
    if depth.problem and durable:
        return EngineUnavailable(depth.problem, retry_after_s(depth.queued + 1, depth))
    return no_replica(depth) or card


def no_replica(depth: Depth) -> NoReplica | None:
    """Why no replica can run the model, if none can and none is on its way."""
    if has_replica(depth):
        return None
    staying = [presence for presence in depth.presences if not presence.draining]
    problems = [presence.problem for presence in staying if presence.problem]
    if problems:
        # What a worker says of itself may hold a path, an address or an exception of the model.
        public = f"{_NONE_RUNS}; the log of its worker says why."
        return NoReplica(f"{_NONE_RUNS}: {problems[0]}", _FAILING_RETRY_S, public=public)
    if staying:
        return None
    return NoReplica("No worker serves the model now; start one, or try again later.", _FAILING_RETRY_S)


def has_replica(depth: Depth) -> bool:
    """Whether a replica can take work now."""
    return any(presence.ready_replicas and not presence.draining for presence in depth.presences)


def unready(card: ModelCard | None, depth: Depth, *, draining: bool) -> tuple[Refused, ...]:
    """Everything that keeps the server from being ready."""
    if draining:
        return (Draining("The server is stopping."),)
    if card is None:
        return (NoReplica(_LOADING),)
    away = (EngineUnavailable(depth.problem),) if depth.problem else ()
    missing = no_replica(depth) or (None if has_replica(depth) else NoReplica("No replica is ready."))
    return away if missing is None else (*away, missing)
