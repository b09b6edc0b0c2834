"""Publishes what attempts report before they end."""

import asyncio
import logging
from collections.abc import Collection, Sequence

from zypher.clock import Clock
from zypher.engines.contract import Deliveries
from zypher.errors import EngineUnavailable
from zypher.prediction import Event, StopReason
from zypher.worker.attempt import Attempt
from zypher.worker.events import Events

logger = logging.getLogger(__name__)

_LONGEST_S = 1.0  # that an outcome waits for the events before it


class Publisher:
    """Publishes all that waits of an attempt at once, in its order, and before the attempt's outcome.

    An outcome is worth more than events: those that the engine does not take are dropped, and an outcome waits for
    them for a second at most. What is being published then is refused by the engine once the outcome is settled.
    """

    def __init__(self, engine: Deliveries, clock: Clock, events: Events) -> None:
        self._engine = engine
        self._clock = clock
        self._events = events
        self._refused = False  # whether the engine took none since the last warning

    async def step(self) -> None:
        """Publish what waits, once there is something."""
        taken = await self._events.take()
        await asyncio.gather(*(self._publish(attempt, events) for attempt, events in taken))

    def unpublished(self, ended: Collection[Attempt]) -> set[Attempt]:
        """Those of these attempts that `finish` has to wait for."""
        return self._events.unpublished(ended)

    async def finish(self, ended: Collection[Attempt]) -> None:
        """Return once all events of these attempts are published or dropped, a second later at most."""
        timer = self._clock.call_later(_LONGEST_S, lambda: self._give_up(ended))
        try:
            await self._events.published(ended)
        finally:
            timer.cancel()

    async def _publish(self, attempt: Attempt, events: Sequence[Event]) -> None:
        try:
            if attempt.stop is not StopReason.LEASE_LOST and await self._engine.publish(attempt.delivery, events):
                self._refused = False
        except EngineUnavailable as error:
            self._warn_of_dropped([attempt], str(error))
        finally:
            self._events.done(attempt)

    def _give_up(self, ended: Collection[Attempt]) -> None:
        late = self._events.unpublished(ended)
        if late:
            self._events.drop(late)
            self._warn_of_dropped(late, f"the engine has not taken them {_LONGEST_S:.0f} s after the end")

    def _warn_of_dropped(self, attempts: Collection[Attempt], problem: str) -> None:
        """Once, until the engine takes events again."""
        if not self._refused:
            ids = ", ".join(attempt.delivery.message.prediction_id for attempt in attempts)
            logger.warning("events are dropped", extra={"predictions": ids, "problem": problem})
        self._refused = True
