"""How a prediction ends: settled by a worker, cancelled, expired, or lost by the journal."""

import asyncio
from collections.abc import Sequence
from functools import partial

from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.engine_clock import EngineClock, Moment
from zypher.engines.embedded.journal import DATA_LOST, Damaged, End, Journal, Row, WaitingRow, resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.stored import notice_of
from zypher.errors import EngineUnavailable
from zypher.prediction import Outcome, Status

CANCELLED = Outcome(Status.CANCELLED)


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

    def __init__(
        self, engine_clock: EngineClock, predictions: Predictions, journal: Journal, dead_letters: DeadLetters
    ) -> None:
        self._engine_clock = engine_clock
        self._dead_letters = dead_letters
        self._predictions = predictions
        self._journal = journal

    async def settle(self, ended: Sequence[tuple[Entry, Outcome]]) -> None:
        """End predictions whose leases were just ended; waits until the journal can store them.

        They are stored even if the caller is cancelled meanwhile. Raises `EngineUnavailable` when the
        engine closes first.
        """
        ended_at = self._engine_clock.moment()
        stored = Countdown()
        for entry, outcome in ended:
            self._end(entry, outcome, ended_at, stored)
        await stored.reached()

    def end_leased(self, entry: Entry, outcome: Outcome) -> None:
        """End a prediction whose lease is over; it is stored later."""
        self._end(entry, outcome, self._engine_clock.moment(), Countdown())

    def end_queued(self, entry: Entry, outcome: Outcome) -> None:
        """End a prediction that is queued; it is stored later."""
        self._predictions.queue_of(entry).leave(entry)
        self._end(entry, outcome, self._engine_clock.moment(), Countdown())

    async def cancel(self, entry: Entry) -> None:
        """End a queued prediction. Raises `EngineUnavailable`, and it goes on waiting, when that cannot be stored."""
        ended_at = self._engine_clock.moment()
        if not entry.row:
            self._predictions.queue_of(entry).leave(entry)
            self._predictions.finish(entry, CANCELLED, ended_at)
            return
        self._journal.recovery.check()
        self._predictions.queue_of(entry).leave(entry)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        notice = self._notice(entry, ended_at)
        done = partial(self._cancel_stored, entry, ended_at, notice, stored)
        self._journal.write(End(entry.row, entry.attempt, None, ended_at, CANCELLED, notice, done))
        await stored

    def _end(self, entry: Entry, outcome: Outcome, ended_at: Moment, stored: Countdown) -> None:
        if entry.row:
            entry.stage = Stage.ENDING
            stored.add()
            self._store(entry, outcome, ended_at, self._notice(entry, ended_at), stored)
        else:
            self._predictions.finish(entry, outcome, ended_at)

    def _store(self, entry: Entry, outcome: Outcome, ended_at: Moment, notice: Row | None, stored: Countdown) -> None:
        started_at = None if entry.lease is None else entry.lease.started_at
        done = partial(self._outcome_stored, entry, outcome, ended_at, notice, stored)
        self._journal.write(End(entry.row, entry.attempt, started_at, ended_at, outcome, notice, done))

    def _notice(self, entry: Entry, ended_at: Moment) -> Row | None:
        if not entry.options.notify:
            return None
        row = self._journal.new_row()
        return Row(row, notice_of(entry.prediction_id, entry.model, ended_at.date, row))

    def _outcome_stored(
        self,
        entry: Entry,
        outcome: Outcome,
        ended_at: Moment,
        notice: Row | None,
        stored: Countdown,
        error: EngineUnavailable | None,
    ) -> None:
        """Finish the entry; one that could not be stored is written again later, or lost if its row is damaged."""
        if isinstance(error, Damaged):
            outcome, notice, error = DATA_LOST, None, None
        if not entry.row or error is None:
            self._finish(entry, outcome, ended_at, notice)
            stored.step()
        elif not self._journal.recovery.hold(partial(self._store, entry, outcome, ended_at, notice, stored)):
            stored.fail(error)

    def _cancel_stored(
        self,
        entry: Entry,
        ended_at: Moment,
        notice: Row | None,
        stored: asyncio.Future[None],
        error: EngineUnavailable | None,
    ) -> None:
        """Finish the entry; one that could not be stored goes on waiting, or is lost if its row is damaged."""
        if isinstance(error, Damaged):
            self._finish(entry, DATA_LOST, ended_at, None)
        elif entry.row and error is not None:
            self._predictions.queue_of(entry).undo_leave(entry)
            resolve(stored, error)
            return
        else:
            self._finish(entry, CANCELLED, ended_at, notice)
        resolve(stored, None)

    def _finish(self, entry: Entry, outcome: Outcome, ended_at: Moment, notice: Row | None) -> None:
        ended = self._predictions.finish(entry, outcome, ended_at)
        if entry.row:
            self._dead_letters.add_if_dead(entry.row, ended, ended_at.reading_us)
        if notice is not None:
            message = notice.message
            waiting = WaitingRow(
                notice.row, message.prediction_id, message.model, message.submitted_at, 0, message.options
            )
            self._predictions.restore(waiting).unbegun = 0
