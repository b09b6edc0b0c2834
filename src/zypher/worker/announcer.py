"""Announces the worker in the engine: that it is alive, and what it can run."""

import asyncio

from zypher.clock import Clock
from zypher.engines.contract import Workforce
from zypher.errors import EngineUnavailable
from zypher.queue_state import WorkerState
from zypher.worker.replicas import Replicas

_PER_LEASE = 3  # announcements within the span of a lease: one holds as long as a lease


class Announcer:
    """Announces a change at once, and what has not changed often enough to count as alive."""

    def __init__(self, engine: Workforce, clock: Clock, replicas: Replicas, worker_id: str, lease_s: float) -> None:
        self.draining = False
        self._engine = engine
        self._clock = clock
        self._replicas = replicas
        self._worker_id = worker_id
        self._every_s = lease_s / _PER_LEASE

    def state(self) -> WorkerState:
        """The worker at this moment."""
        replicas, slots = self._replicas, self._replicas.slots
        card = replicas.card
        return WorkerState(
            worker_id=self._worker_id,
            model=card.name if card else "",
            card=card,
            replicas=replicas.count,
            ready_replicas=slots.replicas,
            slots=slots.total,
            problem=replicas.problem,
            stuck=tuple(replicas.stuck.values()),
            draining=self.draining,
            announced_at=self._clock.now(),
        )

    async def announce(self) -> None:
        """Announce once. Raises `EngineUnavailable`."""
        await self._engine.announce(self.state())

    async def step(self) -> None:
        """Announce once, after a change or when it is due. Raises `EngineUnavailable`."""
        await self._change()
        self._replicas.changed.clear()
        try:
            await self.announce()
        except EngineUnavailable:
            self._replicas.changed.set()
            raise

    async def _change(self) -> None:
        changed: asyncio.Event = self._replicas.changed
        timer = self._clock.call_later(self._every_s, changed.set)
        try:
            await changed.wait()
        finally:
            timer.cancel()
