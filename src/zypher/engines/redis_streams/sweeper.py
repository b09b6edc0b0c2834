"""Ends leases and delays that are over, once per period, and wakes all waiters."""

import asyncio
import logging

from zypher.background_loop import BackgroundLoop
from zypher.clock import Clock
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.awaited_events import AwaitedEvents
from zypher.engines.redis_streams.connection.failures import OUTAGE, UnusableData
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.ready_lanes import ReadyLanes
from zypher.engines.redis_streams.transitions.deliveries import Deliveries
from zypher.errors import EngineUnavailable
from zypher.prediction import Lane

logger = logging.getLogger(__name__)

_NAME = "redis-sweeper"
_NAMES = ""  # stands for the key of the models' names where others are models


class Sweeper:
    """Each process sweeps the models that it uses; a sweep just after another process's changes nothing."""

    def __init__(
        self,
        pipeline: Pipeline,
        models: KnownModels,
        deliveries: Deliveries,
        ends: AwaitedEnds,
        events: AwaitedEvents,
        ready: ReadyLanes,
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._models = models
        self._deliveries = deliveries
        self._ends = ends
        self._events = events
        self._ready = ready
        self._unusable: dict[str, str | None] = {}  # why a model's keys cannot be used, by model
        period_s = deliveries.limits.sweep_period_s
        # It outlives any error: without it no lease would ever end.
        self._loop = BackgroundLoop(
            _NAME, self._sweep_all, clock, period_s, period_s=period_s, survives=(Exception,), quiet=OUTAGE
        )

    @property
    def problem(self) -> str | None:
        """Why this process does not sweep or cannot read the names of the models, a sentence."""
        error = self._loop.error
        if error is None:
            return self._unusable.get(_NAMES)
        return f"The engine's {_NAME} failed ({type(error).__name__}: {error}); the log has more."

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """May happen twice, and before `start`."""
        await self._loop.stop()

    async def _sweep_all(self) -> None:
        await self._refresh()
        models = self._models.swept()
        ready = await asyncio.gather(*(self._sweep(model) for model in models))
        if self._pipeline.refused:
            await self._models.try_write()
            self._pipeline.send_held()
        self._ends.wake_all()
        self._events.wake_all()
        for model, lanes in zip(models, ready, strict=True):
            self._ready.wake(model, lanes)

    async def _refresh(self) -> None:
        """Read the names of the models; where they cannot be read, the queues are swept all the same."""
        try:
            await self._models.refresh()
        except UnusableData as error:
            self._note(_NAMES, str(error))
        else:
            self._note(_NAMES, None)

    async def _sweep(self, model: str) -> list[Lane]:
        """The model's lanes that may have something ready; none, too, while Redis refuses this model's keys."""
        try:
            ready = await self._deliveries.sweep(model)
        except EngineUnavailable as error:
            self._note(model, str(error) if isinstance(error, UnusableData) else None)
            return []
        self._note(model, None)
        return ready

    def _note(self, model: str, problem: str | None) -> None:
        """Log once what keeps a model from being swept."""
        if problem is not None and self._unusable.get(model) != problem:
            logger.error("a queue cannot be used", extra={"model": model, "problem": problem})
        self._unusable[model] = problem
