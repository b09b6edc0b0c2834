"""How a prediction gets into the journal: when it is submitted, or when it is promoted."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import msgspec

from zypher.clock import Clock
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.journal import Accept, End, FindStanding, Journal, Standing, Written, resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.prediction import Message, Prediction

Accepted = Prediction | Standing


class Acceptance:
    """All of it returns once the journal has stored, or raises `EngineUnavailable` and nothing is accepted."""

    def __init__(
        self, clock: Clock, predictions: Predictions, journal: Journal, dead_letters: DeadLetters, retention_s: float
    ) -> None:
        self._clock = clock
        self._predictions = predictions
        self._journal = journal
        self._dead_letters = dead_letters
        self._retention = timedelta(seconds=retention_s)

    async def accept(self, message: Message, key: str | None) -> Accepted:
        """Accept a new prediction, or return the one that stands for it.

        Raises `QueueFull`, `DataFull`, `IdempotencyKeyReused`.
        """
        self._journal.recovery.check()
        if key is not None and self._predictions.fullness(message.model, len(message.input)) is not None:
            standing = await self._find_standing(message, key)
            if standing is not None:
                return standing
        entry = self._predictions.enter(message)
        self._write(entry, message, key)
        return await self.written(entry)

    async def promote(self, entry: Entry, message: Message) -> Accepted:
        """Make a prediction durable that is in memory only, queued or running."""
        self._journal.recovery.check()
        self._write(entry, message, None)
        return await self.written(entry)

    async def promote_ended(self, message: Message, prediction: Prediction) -> Prediction:
        """Make a prediction durable that ended in memory only."""
        self._journal.recovery.check()
        assert prediction.outcome is not None
        assert prediction.finished_at is not None
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[Written] = loop.create_future()
        accepted: asyncio.Future[Written] = loop.create_future()
        row = self._journal.new_row()
        self._journal.write(
            Accept(row, message, prediction.attempt, None, None, self._kept_since(), partial(resolve, accepted))
        )
        self._journal.write(End.of(prediction, row, partial(resolve, stored)))
        await asyncio.gather(accepted, stored)
        durable = msgspec.structs.replace(prediction, durable=True)
        self._predictions.recent.keep(durable)
        self._dead_letters.add_if_dead(row, durable, message.revision)
        return durable

    async def written(self, entry: Entry) -> Accepted:
        """Wait until the record that is being written is stored."""
        submitter: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        assert entry.submitters is not None
        entry.submitters.append(submitter)
        return await submitter

    def _write(self, entry: Entry, message: Message, key: str | None) -> None:
        started_at = None if entry.lease is None else entry.lease.started_at
        self._predictions.queue(entry.model).set_row(entry, self._journal.new_row())
        entry.submitters = []
        done = partial(self._written, entry, message)
        self._journal.write(Accept(entry.row, message, entry.attempt, started_at, key, self._kept_since(), done))

    def _written(self, entry: Entry, message: Message, written: Written) -> None:
        """Let an accepted entry wait in its queue, or undo what was begun; wake its submitters."""
        queue = self._predictions.queue(entry.model)
        submitters, entry.submitters = entry.submitters or (), None
        if entry.stage is not Stage.ACCEPTING:
            if written is not None:  # it stays what it was, in memory only
                queue.set_row(entry, 0)
        elif written is None:
            queue.stop_holding(entry)
            queue.keep(entry, message)
            queue.join(entry)
        else:
            queue.stop_holding(entry)
            queue.queued -= 1
            del self._predictions.entries[entry.prediction_id]
        result = self._predictions.state(entry) if written is None else written
        for submitter in submitters:
            resolve(submitter, result)

    async def _find_standing(self, message: Message, key: str) -> Standing | None:
        found: asyncio.Future[Standing | None] = asyncio.get_running_loop().create_future()
        accept = Accept(0, message, 0, None, key, self._kept_since(), partial(resolve, found))
        self._journal.read(FindStanding(accept))
        return await found

    def _kept_since(self) -> datetime:
        return self._clock.now() - self._retention
