"""How a prediction ends: settled by a worker, cancelled before one had it, or lost by the disk."""

import asyncio
from datetime import datetime
from functools import partial

from zypher.clock import Clock
from zypher.engines.embedded.asks import End, Written, resolve
from zypher.engines.embedded.dead import DeadLetters
from zypher.engines.embedded.disk import Disk
from zypher.engines.embedded.entry import Entry, Stage
from zypher.engines.embedded.live import Live
from zypher.errors import EngineUnavailable
from zypher.prediction import Failure, FailureKind, Outcome, Status

_CANCELLED = Outcome(Status.CANCELLED)
_LOST = Outcome(
    Status.FAILED,
    failure=Failure(
        FailureKind.DATA_LOST, "data_lost: its input is not in the server's data folder any more; send it again"
    ),
)


class Endings:
    """An end is told to whoever waits once it is stored, and not before."""

    def __init__(self, clock: Clock, live: Live, disk: Disk, dead: DeadLetters) -> None:
        self._clock = clock
        self._dead = dead
        self._live = live
        self._disk = disk

    async def settle(self, entry: Entry, outcome: Outcome) -> None:
        """End a prediction whose lease was just ended; waits until the disk can store it.

        It is stored even if the caller is cancelled meanwhile. Raises `EngineUnavailable` when the
        engine closes first.
        """
        finished_at = self._clock.now()
        if not entry.row:
            self._live.finish(entry, outcome, finished_at)
            return
        entry.stage = Stage.ENDING
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._store_settled(entry, outcome, finished_at, stored)
        await stored

    async def cancel(self, entry: Entry) -> None:
        """End a queued prediction. Raises `EngineUnavailable`, and it goes on waiting, when that cannot be stored."""
        finished_at = self._clock.now()
        queue = self._live.queue(entry.model)
        if not entry.row:
            queue.leave(entry)
            self._live.finish(entry, _CANCELLED, finished_at)
            return
        self._disk.recovery.check()
        queue.leave(entry)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done = partial(self._cancelled, entry, finished_at, stored)
        self._disk.write(End(entry.row, entry.attempt, None, finished_at, _CANCELLED, done))
        await stored

    def lose(self, entry: Entry) -> None:
        """End a queued prediction whose input is gone from the disk."""
        self._live.queue(entry.model).leave(entry)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(lambda stored: stored.exception())  # nobody waits for it
        self._store_settled(entry, _LOST, self._clock.now(), stored)

    def _store_settled(
        self, entry: Entry, outcome: Outcome, finished_at: datetime, stored: asyncio.Future[None]
    ) -> None:
        started_at = None if entry.lease is None else entry.lease.started_at
        done = partial(self._settled, entry, outcome, finished_at, stored)
        self._disk.write(End(entry.row, entry.attempt, started_at, finished_at, outcome, done))

    def _settled(
        self, entry: Entry, outcome: Outcome, finished_at: datetime, stored: asyncio.Future[None], written: Written
    ) -> None:
        if not entry.row or not isinstance(written, EngineUnavailable):
            ended = self._live.finish(entry, outcome, finished_at)
            if entry.row:
                self._dead.bury(entry.row, ended)
            resolve(stored, None)
        elif not self._disk.recovery.hold(partial(self._store_settled, entry, outcome, finished_at, stored)):
            resolve(stored, written)

    def _cancelled(self, entry: Entry, finished_at: datetime, stored: asyncio.Future[None], written: Written) -> None:
        if entry.row and isinstance(written, EngineUnavailable):
            self._live.queue(entry.model).come_back(entry)
            resolve(stored, written)
        else:
            self._live.finish(entry, _CANCELLED, finished_at)
            resolve(stored, None)
