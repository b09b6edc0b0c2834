"""How a prediction ends: settled by a worker, cancelled while queued, or lost by the journal."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from zypher.clock import Clock
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.journal import DATA_LOST, Damaged, End, Journal, Written, resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.errors import EngineUnavailable
from zypher.prediction import Outcome, Status

_CANCELLED = Outcome(Status.CANCELLED)


class Countdown:
    """The time until all outcomes of a batch are stored."""

    def __init__(self) -> None:
        self._left = 0
        self._reached: asyncio.Future[None] | None = None
        self._error: EngineUnavailable | None = None

    def add(self) -> None:
        """One is being stored."""
        self._left += 1

    def step(self) -> None:
        """One more is stored."""
        self._left -= 1
        if not self._left and self._reached is not None:
            resolve(self._reached, None)

    def fail(self, error: EngineUnavailable) -> None:
        """One will not be stored."""
        self._error = error
        if self._reached is not None:
            resolve(self._reached, error)

    async def reached(self) -> None:
        """Return once all are stored. Raises what one of them failed with."""
        if self._error is not None:
            raise self._error
        if self._left:
            self._reached = asyncio.get_running_loop().create_future()
            await self._reached


class Ending:
    """Waiters get an end once it is stored, and not before."""

    def __init__(self, clock: Clock, predictions: Predictions, journal: Journal, dead_letters: DeadLetters) -> None:
        self._clock = clock
        self._dead_letters = dead_letters
        self._predictions = predictions
        self._journal = journal

    async def settle(self, ended: Sequence[tuple[Entry, Outcome]]) -> None:
        """End predictions whose leases were just ended; waits until the journal can store them.

        They are stored even if the caller is cancelled meanwhile. Raises `EngineUnavailable` when the
        engine closes first.
        """
        finished_at = self._clock.now()
        stored = Countdown()
        for entry, outcome in ended:
            if entry.row:
                entry.stage = Stage.ENDING
                stored.add()
                self._store(entry, outcome, finished_at, stored)
            else:
                self._predictions.finish(entry, outcome, finished_at)
        await stored.reached()

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
        self._store(entry, DATA_LOST, self._clock.now(), Countdown())

    def _store(self, entry: Entry, outcome: Outcome, finished_at: datetime, stored: Countdown) -> None:
        started_at = None if entry.lease is None else entry.lease.started_at
        done = partial(self._outcome_stored, entry, outcome, finished_at, stored)
        self._journal.write(End(entry.row, entry.attempt, started_at, finished_at, outcome, done))

    def _outcome_stored(
        self, entry: Entry, outcome: Outcome, finished_at: datetime, stored: Countdown, written: Written
    ) -> None:
        """Finish the entry; one that could not be stored is written again later, or lost if its row is damaged."""
        if isinstance(written, Damaged):
            outcome, written = DATA_LOST, None
        if not entry.row or not isinstance(written, EngineUnavailable):
            ended = self._predictions.finish(entry, outcome, finished_at)
            if entry.row:
                self._dead_letters.add_if_dead(entry.row, ended, entry.revision)
            stored.step()
        elif not self._journal.recovery.hold(partial(self._store, entry, outcome, finished_at, stored)):
            stored.fail(written)

    def _cancel_stored(
        self, entry: Entry, finished_at: datetime, stored: asyncio.Future[None], written: Written
    ) -> None:
        """Finish the entry; one that could not be stored goes on waiting, or is lost if its row is damaged."""
        if isinstance(written, Damaged):
            self._predictions.finish(entry, DATA_LOST, finished_at)
            resolve(stored, None)
        elif entry.row and isinstance(written, EngineUnavailable):
            self._predictions.queue(entry.model).undo_leave(entry)
            resolve(stored, written)
        else:
            self._predictions.finish(entry, _CANCELLED, finished_at)
            resolve(stored, None)
