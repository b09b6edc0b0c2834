"""Retention: what ended long ago is deleted in small batches, in the background."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from zypher.clock import Clock
from zypher.engines.embedded.journal import Purge, Write
from zypher.errors import EngineUnavailable

_BATCH = 500  # predictions in one transaction
_PAUSE_S = 0.1  # between two batches, so that submits are written meanwhile
_PERIOD_S = 60.0
_DISTRUST_S = 3600.0  # after the date was set, so that a wrong one can be corrected before it deletes all
_DRIFT_S = 60.0  # what two clocks may differ by from one reading to the next

logger = logging.getLogger(__name__)


class Reading(NamedTuple):
    """Both clocks at one moment."""

    now: datetime
    monotonic_s: float


def clocks_agree(before: Reading, after: Reading) -> bool:
    """Whether the date was not set between two readings: on both clocks about the same time has passed."""
    wall_s = (after.now - before.now).total_seconds()
    return abs(wall_s - (after.monotonic_s - before.monotonic_s)) <= _DRIFT_S


class Purger:
    """Deletes from `start` to `stop`. It pauses for an hour when the date was set."""

    def __init__(self, clock: Clock, retention_s: float, write: Callable[[Write], None]) -> None:
        self._clock = clock
        self._retention = timedelta(seconds=retention_s)
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
        reading = self._read_clocks()
        while True:
            before, reading = reading, self._read_clocks()
            if clocks_agree(before, reading):
                full = await self._purge_batch() == _BATCH
                await self._clock.sleep(_PAUSE_S if full else _PERIOD_S)
            else:
                logger.warning("the date was set; nothing past its retention is deleted for an hour")
                await self._clock.sleep(_DISTRUST_S)

    def _read_clocks(self) -> Reading:
        return Reading(self._clock.now(), self._clock.monotonic())

    async def _purge_batch(self) -> int:
        """Delete one batch; returns how many predictions it held, 0 when the journal cannot store."""
        deleted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def done(result: int | EngineUnavailable) -> None:
            if not deleted.done():
                deleted.set_result(result if isinstance(result, int) else 0)

        self._write(Purge(self._clock.now() - self._retention, _BATCH, done))
        return await deleted


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("nothing past its retention is deleted any more", exc_info=error)
