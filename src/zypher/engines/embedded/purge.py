"""Retention: what ended long ago is deleted in small bites, in the background."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from zypher.clock import Clock
from zypher.engines.embedded.operations import Purge, Write
from zypher.errors import EngineUnavailable

_BITE = 500  # predictions in one transaction
_PAUSE_S = 0.1  # between two bites, so that submits come through
_PERIOD_S = 60.0

# Freed pages are used again by what comes next, so the file stops growing once the retention is reached. It
# does not shrink: that would cost each write a page that tells where the others are (auto_vacuum).


class Purger:
    """A duty from `start` to `stop`."""

    def __init__(self, clock: Clock, retention_s: float, write: Callable[[Write], None]) -> None:
        self._clock = clock
        self._retention = timedelta(seconds=retention_s)
        self._write = write
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="zypher-purge")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            full = await self._bite() == _BITE
            await self._clock.sleep(_PAUSE_S if full else _PERIOD_S)

    async def _bite(self) -> int:
        """Delete one bite; returns how many predictions it held, 0 when the disk does not store."""
        deleted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def done(answer: int | EngineUnavailable) -> None:
            if not deleted.done():
                deleted.set_result(answer if isinstance(answer, int) else 0)

        self._write(Purge(self._clock.now() - self._retention, _BITE, done))
        return await deleted
