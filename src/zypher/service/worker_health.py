"""The health of a worker that runs without a gateway."""

from zypher.engines.contract import Workforce
from zypher.errors import Draining, NoReplica, Unavailable
from zypher.gateway.admission import STUCK
from zypher.gateway.gateway import Readiness, warnings_in
from zypher.queue_state import WorkerState
from zypher.telemetry.metrics import Metrics
from zypher.worker.worker import Worker


class WorkerHealth:
    """Readiness and metrics of one worker."""

    def __init__(self, worker: Worker, engine: Workforce, metrics: Metrics) -> None:
        self._worker = worker
        self._engine = engine
        self._metrics = metrics

    async def readiness(self, *, run: bool) -> Readiness:
        """Whether this worker would run a prediction that waits now, which is all that it is for. Never raises."""
        state = self._worker.state()
        problems = [*_problems(state), *(NoReplica(stuck, public=STUCK) for stuck in state.stuck)]
        if not problems:
            try:
                await self._engine.queues(state.model)
            except Unavailable as error:
                problems = [error]
        return Readiness(ready=not problems, problems=tuple(problems), warnings=warnings_in(self._engine))

    async def metrics_page(self) -> tuple[bytes, str]:
        """What this worker has counted; how queues are doing stands on the servers' pages."""
        return self._metrics.page()


def _problems(state: WorkerState) -> list[Unavailable]:
    if state.draining:
        return [Draining("The worker is stopping.")]
    if state.ready_replicas or state.stuck:
        return []
    if state.problem:
        return [NoReplica(state.problem, public="No replica can load the model; the log of the worker says why.")]
    return [NoReplica("No replica has loaded the model yet.")]
