"""Keeps the leases of a worker's attempts."""

from zypher.engines.contract import Deliveries
from zypher.worker.attempt import Attempts

PER_LEASE = 3  # extensions within the span of a lease, so that two that fail lose nothing


class Leases:
    """Extends them all at once; what becomes of one that was lost before is up to `stops.Stops`."""

    def __init__(self, engine: Deliveries, attempts: Attempts) -> None:
        self._engine = engine
        self._attempts = attempts

    async def step(self) -> None:
        """Extend once. Raises `EngineUnavailable`."""
        await self._engine.extend(self._attempts.deliveries())
