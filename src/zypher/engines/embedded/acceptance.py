"""How a prediction gets onto the disk: when it is submitted, or when it turns out that it must last."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import msgspec

from zypher.clock import Clock
from zypher.engines.embedded.asks import Accept, End, FindStanding, Standing, Written, resolve
from zypher.engines.embedded.dead import DeadLetters
from zypher.engines.embedded.disk import Disk
from zypher.engines.embedded.entry import Entry, Stage
from zypher.engines.embedded.live import Live
from zypher.prediction import Message, Prediction

Accepted = Prediction | Standing


class Acceptance:
    """All of it returns after the commit, or raises `EngineUnavailable` and nothing is accepted."""

    def __init__(self, clock: Clock, live: Live, disk: Disk, dead: DeadLetters, retention_s: float) -> None:
        self._clock = clock
        self._live = live
        self._disk = disk
        self._dead = dead
        self._retention = timedelta(seconds=retention_s)

    async def accept(self, message: Message, key: str | None) -> Accepted:
        """Accept a new prediction, or say which one stands for it. Raises `QueueFull`, `IdempotencyKeyReused`."""
        self._disk.recovery.check()
        if key is not None and self._live.fullness(message.model, len(message.input)) is not None:
            standing = await self._find_standing(message, key)
            if standing is not None:
                return standing
        entry = self._live.enter(message)
        self._write(entry, message, key)
        return await self.written(entry)

    async def promote(self, entry: Entry, message: Message) -> Accepted:
        """Write down a prediction that is in memory only, wherever it stands."""
        self._disk.recovery.check()
        self._write(entry, message, None)
        return await self.written(entry)

    async def promote_ended(self, message: Message, prediction: Prediction) -> Prediction:
        """Write down a prediction that ended in memory only."""
        self._disk.recovery.check()
        assert prediction.outcome is not None
        assert prediction.finished_at is not None
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[Written] = loop.create_future()
        accepted: asyncio.Future[Written] = loop.create_future()
        row = self._disk.new_row()
        self._disk.write(
            Accept(row, message, prediction.attempt, None, None, self._kept_since(), partial(resolve, accepted))
        )
        self._disk.write(End.of(prediction, row, partial(resolve, stored)))
        await asyncio.gather(accepted, stored)
        durable = msgspec.structs.replace(prediction, durable=True)
        self._live.recent.keep(durable)
        self._dead.bury(row, durable)
        return durable

    async def written(self, entry: Entry) -> Accepted:
        """Wait until the record that is being written is on disk."""
        submitter: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        assert entry.submitters is not None
        entry.submitters.append(submitter)
        return await submitter

    def _write(self, entry: Entry, message: Message, key: str | None) -> None:
        started_at = None if entry.lease is None else entry.lease.started_at
        self._live.queue(entry.model).set_row(entry, self._disk.new_row())
        entry.submitters = []
        done = partial(self._answered, entry, message)
        self._disk.write(Accept(entry.row, message, entry.attempt, started_at, key, self._kept_since(), done))

    def _answered(self, entry: Entry, message: Message, written: Written) -> None:
        """Let an accepted entry wait in its queue, or undo what was begun; tell who submitted it."""
        queue = self._live.queue(entry.model)
        submitters, entry.submitters = entry.submitters or (), None
        if entry.stage is not Stage.ACCEPTING:
            if written is not None:  # it stays what it was, in memory only
                queue.set_row(entry, 0)
        elif written is None:
            queue.let_go(entry)
            queue.keep(entry, message)
            queue.join(entry)
        else:
            queue.let_go(entry)
            queue.queued -= 1
            del self._live.entries[entry.prediction_id]
        answer = self._live.seen(entry) if written is None else written
        for submitter in submitters:
            resolve(submitter, answer)

    async def _find_standing(self, message: Message, key: str) -> Standing | None:
        found: asyncio.Future[Standing | None] = asyncio.get_running_loop().create_future()
        accept = Accept(0, message, 0, None, key, self._kept_since(), partial(resolve, found))
        self._disk.read(FindStanding(accept))
        return await found

    def _kept_since(self) -> datetime:
        return self._clock.now() - self._retention
