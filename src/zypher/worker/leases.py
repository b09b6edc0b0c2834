"""Keeps the leases of a worker's attempts."""

import asyncio

from zypher.engines.contract import Deliveries
from zypher.worker.attempt import Attempts

PER_LEASE = 6  # extensions within the span of a lease: half of them may be under way, and two fail


class Leases:
    """Extends them all at once; what becomes of one that was lost before is up to `stops.Stops`."""

    def __init__(self, engine: Deliveries, attempts: Attempts, period_s: float) -> None:
        self._engine = engine
        self._attempts = attempts
        self._period_s = period_s
        self.late: set[asyncio.Future[None]] = set()  # extensions without an answer

    async def step(self) -> None:
        """Extend once. Raises `EngineUnavailable`.

        The answer is waited for until the next extension is due: an engine may be farther away than that.
        """
        extension = asyncio.ensure_future(self._engine.extend(self._attempts.deliveries()))
        self.late.add(extension)
        extension.add_done_callback(self._answered)
        await asyncio.wait({extension}, timeout=self._period_s)
        if extension.done():
            extension.result()

    async def stop(self) -> None:
        """Wait for no answer any more; may happen twice."""
        for extension in self.late:
            extension.cancel()
        if self.late:
            await asyncio.wait(self.late)

    def _answered(self, extension: asyncio.Future[None]) -> None:
        self.late.discard(extension)
        if not extension.cancelled():
            extension.exception()  # retrieved, also where no step waits for it any more
