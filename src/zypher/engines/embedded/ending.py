"""How a prediction ends: settled by a worker, cancelled while queued, or lost by the journal."""

import asyncio
from datetime import datetime
from functools import partial

from zypher.clock import Clock
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.journal import End, Journal, Written, resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.errors import EngineUnavailable
from zypher.prediction import Failure, FailureKind, Outcome, Status

_CANCELLED = Outcome(Status.CANCELLED)
_LOST = Outcome(
    Status.FAILED,
    failure=Failure(
        FailureKind.DATA_LOST, "data_lost: its input is not in the server's data folder any more; send it again"
    ),
)


class Ending:
    """Waiters get an end once it is stored, and not before."""

    def __init__(self, clock: Clock, predictions: Predictions, journal: Journal, dead_letters: DeadLetters) -> None:
        self._clock = clock
        self._dead_letters = dead_letters
        self._predictions = predictions
        self._journal = journal

    async def settle(self, entry: Entry, outcome: Outcome) -> None:
        """End a prediction whose lease was just ended; waits until the journal can store it.

        It is stored even if the caller is cancelled meanwhile. Raises `EngineUnavailable` when the
        engine closes first.
        """
        finished_at = self._clock.now()
        if not entry.row:
            self._predictions.finish(entry, outcome, finished_at)
            return
        entry.stage = Stage.ENDING
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._store(entry, outcome, finished_at, stored)
        await stored

    async def cancel(self, entry: Entry) -> None:
        """End a queued prediction. Raises `EngineUnavailable`, and it goes on waiting, when that cannot be stored."""
        finished_at = self._clock.now()
        queue = self._predictions.queue(entry.model)
        if not entry.row:
            queue.leave(entry)
            self._predictions.finish(entry, _CANCELLED, finished_at)
            return
        self._journal.recovery.check()
        queue.leave(entry)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done = partial(self._cancel_stored, entry, finished_at, stored)
        self._journal.write(End(entry.row, entry.attempt, None, finished_at, _CANCELLED, done))
        await stored

    def lose(self, entry: Entry) -> None:
        """End a queued prediction whose input is not in the journal any more."""
        self._predictions.queue(entry.model).leave(entry)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(lambda stored: stored.exception())  # it has no waiter
        self._store(entry, _LOST, self._clock.now(), stored)

    def _store(self, entry: Entry, outcome: Outcome, finished_at: datetime, stored: asyncio.Future[None]) -> None:
        started_at = None if entry.lease is None else entry.lease.started_at
        done = partial(self._outcome_stored, entry, outcome, finished_at, stored)
        self._journal.write(End(entry.row, entry.attempt, started_at, finished_at, outcome, done))

    def _outcome_stored(
        self, entry: Entry, outcome: Outcome, finished_at: datetime, stored: asyncio.Future[None], written: Written
    ) -> None:
        """Finish the entry; one that could not be stored is written again later."""
        if not entry.row or not isinstance(written, EngineUnavailable):
            ended = self._predictions.finish(entry, outcome, finished_at)
            if entry.row:
                self._dead_letters.add_if_dead(entry.row, ended)
            resolve(stored, None)
        elif not self._journal.recovery.hold(partial(self._store, entry, outcome, finished_at, stored)):
            resolve(stored, written)

    def _cancel_stored(
        self, entry: Entry, finished_at: datetime, stored: asyncio.Future[None], written: Written
    ) -> None:
        """Finish the entry; one that could not be stored goes on waiting."""
        if entry.row and isinstance(written, EngineUnavailable):
            self._predictions.queue(entry.model).undo_leave(entry)
            resolve(stored, written)
        else:
            self._predictions.finish(entry, _CANCELLED, finished_at)
            resolve(stored, None)
