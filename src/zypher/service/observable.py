"""A process without an API whose health a machine can ask for: a worker in a container."""

import logging

from zypher.engines.engine import Operations
from zypher.errors import Refused
from zypher.gateway.gateway import Readiness
from zypher.http.server import HttpServer
from zypher.presence import Presence
from zypher.service.life import Shape
from zypher.telemetry.metrics import Metrics
from zypher.worker.worker import Worker

logger = logging.getLogger(__name__)


class Observable:
    """A shape that answers for its health from the moment its engine is open until it has closed."""

    def __init__(self, shape: Shape, server: HttpServer) -> None:
        self.died = shape.died
        self.get_ready = shape.get_ready
        self.drain = shape.drain
        self._shape = shape
        self._server = server

    async def start(self) -> None:
        self._server.bind()
        await self._shape.start()
        await self._server.start()
        logger.info("answering for its health", extra={"url": self._server.url})

    async def stop(self, *, in_haste: bool) -> None:
        await self._shape.stop(in_haste=in_haste)
        await self._server.stop(0)


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
                problem = str(away)
        return Readiness(ready=problem is None, problems=() if problem is None else (problem,))

    async def metrics_page(self) -> tuple[bytes, str]:
        """What this worker has counted; how queues are doing stands on the servers' pages."""
        return self._metrics.page()


def _problem(presence: Presence) -> str | None:
    if presence.draining:
        return "The worker is stopping."
    if presence.ready_replicas:
        return None
    return presence.problem or "No replica has loaded the model yet."
