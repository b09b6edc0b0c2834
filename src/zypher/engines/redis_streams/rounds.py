"""The one thing that happens without being asked for: look after leases and delays, and look again."""

import asyncio
from collections.abc import Callable

from zypher.clock import Clock
from zypher.engines.redis_streams.link import Link
from zypher.engines.redis_streams.models import Models
from zypher.engines.redis_streams.repeating import Repeating
from zypher.engines.redis_streams.transitions import Transitions
from zypher.errors import EngineUnavailable


class Rounds:
    """Every process goes round its own models.

    Whoever comes a moment later than another leaves the sweeping at that.
    """

    def __init__(
        self, link: Link, models: Models, transitions: Transitions, clock: Clock, looked: Callable[[list[str]], None]
    ) -> None:
        self._link = link
        self._models = models
        self._transitions = transitions
        self._looked = looked  # hears after each round which models have something to receive
        self._repeating = Repeating("redis-rounds", self._go, clock, transitions.terms.round_s)

    @property
    def problem(self) -> str | None:
        """Why nobody looks after leases here, a sentence."""
        return self._repeating.problem

    def start(self) -> None:
        self._repeating.start()

    async def stop(self) -> None:
        await self._repeating.stop()

    async def _go(self) -> None:
        await self._models.look()
        models = self._models.ours()
        swept = await asyncio.gather(*(self._sweep(model) for model in models))
        if self._link.troubled:
            await self._models.write()
            self._link.try_again()
        self._looked([model for model, ready in zip(models, swept, strict=True) if ready])

    async def _sweep(self, model: str) -> int:
        """How many of the model's predictions are ready; 0, too, when one model's keys are in trouble."""
        try:
            return await self._transitions.sweep(model)
        except EngineUnavailable:
            return 0
