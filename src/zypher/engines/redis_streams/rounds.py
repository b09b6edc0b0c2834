"""The one thing that happens without being asked for: look after leases and delays, and look again."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from zypher.clock import Clock
from zypher.engines.redis_streams.link import Link
from zypher.engines.redis_streams.models import Models
from zypher.engines.redis_streams.transitions import Transitions
from zypher.errors import EngineUnavailable


class Rounds:
    """Every process goes round; whoever comes a moment later than another leaves the sweeping at that."""

    def __init__(
        self, link: Link, models: Models, transitions: Transitions, clock: Clock, looked: Callable[[list[str]], None]
    ) -> None:
        self._link = link
        self._models = models
        self._transitions = transitions
        self._clock = clock
        self._looked = looked  # hears after each round which models have something to receive
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._repeat(), name="redis-rounds")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _repeat(self) -> None:
        while True:
            await self._clock.sleep(self._transitions.terms.round_s)
            with suppress(EngineUnavailable):  # the link tells of it, and finds the way back
                await self._go()

    async def _go(self) -> None:
        models = await self._models.look()
        ready = await asyncio.gather(*(self._transitions.sweep(model) for model in models))
        if self._link.problem is not None:
            await self._models.write()
            self._link.mended()
        self._looked([model for model, number in zip(models, ready, strict=True) if number])
