"""What is said of a prediction while it lives: published by its worker, read by its callers."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from zypher.clock import Clock
from zypher.engines.embedded.journal import FindEvents, Journal, Publish, resolve
from zypher.engines.embedded.memory.entry import Entry
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.event_log import EventLog
from zypher.engines.refusals import stopping
from zypher.errors import EngineUnavailable, IdempotencyKeyReused
from zypher.prediction import Event


class Events:
    """The journal has those of durable predictions, memory the others."""

    def __init__(self, clock: Clock, predictions: Predictions, journal: Journal) -> None:
        self._clock = clock
        self._predictions = predictions
        self._journal = journal
        self._stopped = False

    async def publish(self, entry: Entry, attempt: int, events: Sequence[Event]) -> None:
        """Raises `DataFull`, and `EngineUnavailable` when the journal cannot store."""
        if entry.row:
            stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done = partial(self._publish_stored, entry, attempt, events, stored)
            self._journal.write(Publish(entry.row, attempt, events, done))
            await stored
        else:
            self._add(entry, attempt, events)

    async def of_running(self, prediction_id: str, after: int, wait_s: float) -> list[Event] | None:
        """Those of a prediction that has not ended, waiting for one; None once it has."""
        ends_s = self._clock.monotonic() + wait_s
        with self._predictions.watchers.waiting(prediction_id) as waiter:
            while (entry := self._predictions.entries.get(prediction_id)) is not None:
                if self._stopped:
                    raise stopping()
                waiter.reset()
                entry.watched = True
                found = await self._of_entry(entry, after)
                left_s = ends_s - self._clock.monotonic()
                if found or left_s <= 0:
                    return found
                await waiter.wait(left_s)
        return None

    async def of_ended(self, prediction_id: str, after: int) -> list[Event]:
        """Those of a prediction that has ended."""
        log = self._predictions.recent.events(prediction_id)
        return await self._stored(prediction_id, after) if log is None else log.after(after)

    def stop(self) -> None:
        """Raise `EngineUnavailable` from every wait."""
        self._stopped = True
        self._predictions.watchers.wake_all()

    def _publish_stored(
        self,
        entry: Entry,
        attempt: int,
        events: Sequence[Event],
        stored: asyncio.Future[None],
        error: EngineUnavailable | None,
    ) -> None:
        """Wake who waits for events; those of a prediction that the journal refused are added in memory."""
        if not entry.row:
            self._add(entry, attempt, events)
            error = None
        elif error is None:
            self._predictions.watchers.wake(entry.prediction_id)
        resolve(stored, error)

    def _add(self, entry: Entry, attempt: int, events: Sequence[Event]) -> None:
        entry.watched = True
        entry.events = entry.events or EventLog()
        entry.events.add(attempt, events)
        self._predictions.watchers.wake(entry.prediction_id)

    async def _of_entry(self, entry: Entry, after: int) -> list[Event]:
        if entry.writing is not None:
            with suppress(EngineUnavailable, IdempotencyKeyReused):  # else they are in memory as before
                await entry.writing.written()
        if entry.row:
            return await self._stored(entry.prediction_id, after)
        return [] if entry.events is None else entry.events.after(after)

    async def _stored(self, prediction_id: str, after: int) -> list[Event]:
        found: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        self._journal.read(FindEvents(prediction_id, after, partial(resolve, found)))
        return await found
