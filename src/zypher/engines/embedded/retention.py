"""Retention: what ended long ago is deleted in small batches, in the background."""

import asyncio
import logging
from collections.abc import Callable

from zypher.clock import Clock
from zypher.engines.embedded.engine_clock import EngineClock
from zypher.engines.embedded.journal import Purge, SetClock, Write
from zypher.errors import EngineUnavailable

_BATCH = 500  # predictions in one transaction
_PAUSE_S = 0.1  # between two batches, so that submits are written meanwhile
_PERIOD_S = 60.0

logger = logging.getLogger(__name__)


class Purger:
    """Deletes from `start` to `stop`, and stores the engine clock each time: a crash loses one period of it at most."""

    def __init__(self, clock: Clock, engine_clock: EngineClock, write: Callable[[Write], None]) -> None:
        self._clock = clock
        self._engine_clock = engine_clock
        self._write = write
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="zypher-purge")
        self._task.add_done_callback(_ended)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            full = await self._purge_batch() == _BATCH
            await self._clock.sleep(_PAUSE_S if full else _PERIOD_S)

    async def _purge_batch(self) -> int:
        """Delete one batch; returns how many predictions it held, 0 when the journal cannot store."""
        deleted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def done(result: int | EngineUnavailable) -> None:
            if not deleted.done():
                deleted.set_result(result if isinstance(result, int) else 0)

        self._write(SetClock(self._engine_clock.moment()))
        self._write(Purge(self._engine_clock.kept_since_us(), _BATCH, done))
        return await deleted


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("nothing past its retention is deleted any more", exc_info=error)
