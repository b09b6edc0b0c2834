"""How predictions get into memory and the journal: when they are submitted, or when they are kept later."""

import asyncio
from collections.abc import Sequence
from functools import partial

import msgspec

from zypher.engines.contract import Submission
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.deadlines import Deadlines
from zypher.engines.embedded.engine_clock import EngineClock, Moment
from zypher.engines.embedded.journal import (
    Accept,
    Accepted,
    Damaged,
    End,
    FindStanding,
    Journal,
    Refused,
    Row,
    Standing,
    resolve,
)
from zypher.engines.embedded.memory.entry import Entry, Stage, Writing
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.embedded.memory.recent import Ended
from zypher.errors import EngineUnavailable
from zypher.prediction import Message, Prediction


class Acceptance:
    """What is durable is in the journal when a method returns; it raises `EngineUnavailable`, and nothing is."""

    def __init__(
        self,
        engine_clock: EngineClock,
        predictions: Predictions,
        journal: Journal,
        deadlines: Deadlines,
        dead_letters: DeadLetters,
    ) -> None:
        self._engine_clock = engine_clock
        self._predictions = predictions
        self._journal = journal
        self._deadlines = deadlines
        self._dead_letters = dead_letters

    def accept(self, submissions: Sequence[Submission]) -> list[Prediction]:
        """Accept new predictions of one model in memory only. Raises `QueueFull`."""
        predictions, accepted = self._predictions, list[Prediction]()
        fullness = predictions.fullness(submissions[0].message.model, len(submissions), submissions)
        if fullness is not None:
            raise fullness
        for submission in submissions:
            message = submission.message
            accepted.append(predictions.accept(message))
            if message.options.deadline is not None:
                self._deadlines.add(predictions.entries[message.prediction_id])
        return accepted

    async def store(self, submissions: Sequence[Submission]) -> list[Prediction | Standing]:
        """Accept new predictions of one model durably; of each that, or what stands for it.

        Raises `QueueFull`, `DataFull`, `IdempotencyKeyReused`.
        """
        self._journal.recovery.check()
        messages = [submission.message for submission in submissions]
        if self._predictions.fullness(messages[0].model, len(submissions), submissions) is not None:
            standing = await self._find_standing(submissions)
            new = [each for each, stands in zip(submissions, standing, strict=True) if stands is None]
            if not new:
                return [each for each in standing if each is not None]
            fullness = self._predictions.fullness(messages[0].model, len(new), new)
            if fullness is not None:
                raise fullness
        entries = [self._predictions.enter(message) for message in messages]
        written = await self._write(entries, submissions).written()
        return [written[message.prediction_id] for message in messages]

    async def keep(self, entry: Entry, message: Message) -> Prediction | Standing:
        """Make a prediction durable that is in memory only, queued or running."""
        self._journal.recovery.check()
        written = await self._write([entry], [Submission(message)]).written()
        return written[message.prediction_id]

    async def keep_ended(self, message: Message, recent: Ended) -> Prediction:
        """Make a prediction durable that ended in memory only."""
        self._journal.recovery.check()
        loop = asyncio.get_running_loop()
        accepted: asyncio.Future[Accepted] = loop.create_future()
        kept: asyncio.Future[Prediction] = loop.create_future()
        events = () if recent.events is None else tuple(recent.events.after(0))
        row = Row(self._journal.new_row(), message, attempt=recent.prediction.attempt, events=events)
        self._journal.write(Accept([row], self._engine_clock.kept_since_us(), partial(resolve, accepted)))
        prediction = msgspec.structs.replace(recent.prediction, durable=True)
        self._write_end(row.row, prediction, recent.ended, accepted, kept)
        return await kept

    def _write_end(
        self,
        row: int,
        prediction: Prediction,
        ended: Moment,
        accepted: asyncio.Future[Accepted],
        kept: asyncio.Future[Prediction],
    ) -> None:
        """Write the end of a prediction behind its acceptance, which gives the other future its result."""
        outcome = prediction.outcome
        assert outcome is not None
        done = partial(self._end_written, row, prediction, ended, accepted, kept)
        self._journal.write(End(row, prediction.attempt, prediction.started_at, ended, outcome, None, done))

    def _end_written(
        self,
        row: int,
        prediction: Prediction,
        ended: Moment,
        accepted: asyncio.Future[Accepted],
        kept: asyncio.Future[Prediction],
        error: EngineUnavailable | None,
    ) -> None:
        """Note that it is durable now; an end that could not be stored is written again later."""
        refused = accepted.exception()
        if isinstance(refused, EngineUnavailable):
            resolve(kept, refused)
        elif accepted.result() != [None]:  # another call has made it durable, under another number
            resolve(kept, prediction)
        elif error is None:
            self._predictions.recent.keep(prediction, ended)
            self._dead_letters.add_if_dead(row, prediction, ended.reading_us)
            resolve(kept, prediction)
        elif isinstance(error, Damaged) or not self._journal.recovery.hold(
            partial(self._write_end, row, prediction, ended, accepted, kept)
        ):
            resolve(kept, error)

    def _write(self, entries: Sequence[Entry], submissions: Sequence[Submission]) -> Writing:
        """Begin to write these entries, all or none."""
        writing = Writing()
        rows: list[Row] = []
        for entry, submission in zip(entries, submissions, strict=True):
            self._predictions.queue_of(entry).set_row(entry, self._journal.new_row())
            entry.writing = writing
            rows.append(
                Row(
                    entry.row,
                    submission.message,
                    submission.idempotency_key,
                    entry.attempt,
                    None if entry.lease is None else entry.lease.started_at,
                    entry.stop_asked,
                    () if entry.events is None else tuple(entry.events.after(0)),
                )
            )
        self._journal.write(
            Accept(rows, self._engine_clock.kept_since_us(), partial(self._end_writing, writing, entries, rows))
        )
        return writing

    def _end_writing(
        self, writing: Writing, entries: Sequence[Entry], rows: Sequence[Row], written: Accepted | Refused
    ) -> None:
        """Let accepted entries wait in their queues, or undo what was begun; wake the submitters."""
        if isinstance(written, Exception):
            for entry in entries:
                self._refuse(entry)
            writing.end(written)
            return
        results: dict[str, Prediction | Standing] = {}
        for entry, row, standing in zip(entries, rows, written, strict=True):
            if standing is None:
                self._admit(entry, row.message)
            else:
                self._refuse(entry)
            results[entry.prediction_id] = standing or self._predictions.state(entry)
        writing.end(results)

    def _admit(self, entry: Entry, message: Message) -> None:
        entry.writing = None
        entry.events = None  # the journal has them
        if entry.stage is Stage.ACCEPTING:
            queue = self._predictions.queue_of(entry)
            queue.stop_holding(entry)
            queue.keep(entry, message)
            queue.join(entry)
            self._deadlines.add(entry)

    def _refuse(self, entry: Entry) -> None:
        """Undo it; one that was in memory stays there, and only there."""
        entry.writing = None
        if entry.stage is Stage.ACCEPTING:
            self._predictions.queue_of(entry).refuse(entry)
            del self._predictions.entries[entry.prediction_id]
        else:
            self._predictions.queue_of(entry).set_row(entry, 0)

    async def _find_standing(self, submissions: Sequence[Submission]) -> Accepted:
        """Of each what an earlier submit of its id or key accepted."""
        rows = [Row(0, each.message, each.idempotency_key) for each in submissions]
        found: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._journal.read(FindStanding(Accept(rows, self._engine_clock.kept_since_us(), partial(resolve, found))))
        return await found
