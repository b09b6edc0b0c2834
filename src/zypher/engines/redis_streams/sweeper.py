"""Ends leases and delays that are over, once per period, and wakes all waiters."""

import asyncio

from zypher.background_loop import BackgroundLoop
from zypher.clock import Clock
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.connection.failures import OUTAGE
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.ready_models import ReadyModels
from zypher.engines.redis_streams.transitions.deliveries import Deliveries
from zypher.errors import EngineUnavailable

_NAME = "redis-sweeper"


class Sweeper:
    """Each process sweeps the models that it uses; a sweep just after another process's changes nothing."""

    def __init__(
        self,
        pipeline: Pipeline,
        models: KnownModels,
        deliveries: Deliveries,
        ends: AwaitedEnds,
        ready: ReadyModels,
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._models = models
        self._deliveries = deliveries
        self._ends = ends
        self._ready = ready
        period_s = deliveries.limits.sweep_period_s
        # It outlives any error: without it no lease would ever end.
        self._loop = BackgroundLoop(
            _NAME, self._sweep_all, clock, period_s, period_s=period_s, survives=(Exception,), quiet=OUTAGE
        )

    @property
    def problem(self) -> str | None:
        """Why this process does not sweep, a sentence."""
        error = self._loop.error
        if error is None:
            return None
        return f"The engine's {_NAME} failed ({type(error).__name__}: {error}); the log has more."

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """May happen twice, and before `start`."""
        await self._loop.stop()

    async def _sweep_all(self) -> None:
        await self._models.refresh()
        models = self._models.swept()
        ready = await asyncio.gather(*(self._sweep(model) for model in models))
        if self._pipeline.refused:
            await self._models.try_write()
            self._pipeline.send_held()
        self._ends.wake_all()
        for model, number in zip(models, ready, strict=True):
            if number:
                self._ready.wake(model)

    async def _sweep(self, model: str) -> int:
        """How many of the model's predictions are ready; 0, too, while Redis refuses this model's keys."""
        try:
            return await self._deliveries.sweep(model)
        except EngineUnavailable:
            return 0
