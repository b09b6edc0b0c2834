"""The health of a worker that has no gateway to ask."""

from zypher.engines.engine import Operations
from zypher.errors import Draining, NoReplica, Refused
from zypher.gateway.gateway import Readiness
from zypher.presence import Presence
from zypher.telemetry.metrics import Metrics
from zypher.worker.worker import Worker


class WorkerHealth:
    """What one worker says of itself, and not of others."""

    def __init__(self, worker: Worker, engine: Operations, metrics: Metrics) -> None:
        self._worker = worker
        self._engine = engine
        self._metrics = metrics

    async def readiness(self) -> Readiness:
        """Whether this worker would run a prediction that waits now. Never raises."""
        presence = self._worker.presence()
        problem = _problem(presence)
        if problem is None:
            try:
                await self._engine.depths(presence.model)
            except Refused as away:
                problem = away
        return Readiness(ready=problem is None, problems=() if problem is None else (problem,))

    async def metrics_page(self) -> tuple[bytes, str]:
        """What this worker has counted; how queues are doing stands on the servers' pages."""
        return self._metrics.page()


def _problem(presence: Presence) -> Refused | None:
    if presence.draining:
        return Draining("The worker is stopping.")
    if presence.ready_replicas:
        return None
    if presence.problem:
        return NoReplica(presence.problem, public="No replica can load the model; the log of the worker says why.")
    return NoReplica("No replica has loaded the model yet.")
