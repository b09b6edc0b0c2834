"""Events that attempts have reported, until they are published."""

import asyncio
from collections.abc import Collection

from zypher.engines.event_log import EventLog
from zypher.prediction import Event
from zypher.worker.attempt import Attempt


class Events:
    """The events of a worker's attempts, those of each in their order.

    Older ones of an attempt are dropped when more wait than the engine keeps: once all were published, it would forget
    these first.
    """

    def __init__(self) -> None:
        self._waiting: dict[Attempt, EventLog] = {}
        self._taken: set[Attempt] = set()  # those whose events are being published
        self._arrived = asyncio.Event()
        self._done = asyncio.Event()

    def add(self, attempt: Attempt, event: Event) -> None:
        """The attempt, which has not ended, has reported this."""
        waiting = self._waiting.get(attempt)
        if waiting is None:
            waiting = self._waiting[attempt] = EventLog()
            self._arrived.set()
        waiting.append(event)

    async def take(self) -> list[tuple[Attempt, list[Event]]]:
        """All that wait, once there is one; each of these attempts is to be `done` later."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        waiting, self._waiting = self._waiting, {}
        self._taken.update(waiting)
        return [(attempt, list(log)) for attempt, log in waiting.items()]

    def done(self, attempt: Attempt) -> None:
        """The events that were taken of this attempt are published, or never will be."""
        self._taken.discard(attempt)
        self._done.set()

    def drop(self, attempts: Collection[Attempt]) -> None:
        """Let nothing wait for the events of these attempts any more, nor for what was taken of them."""
        for attempt in attempts:
            self._waiting.pop(attempt, None)
            self._taken.discard(attempt)
        self._done.set()

    def unpublished(self, attempts: Collection[Attempt]) -> set[Attempt]:
        """Those of these attempts whose events are not all published or dropped."""
        if not self._waiting and not self._taken:
            return set()
        return {attempt for attempt in attempts if attempt in self._waiting or attempt in self._taken}

    async def published(self, attempts: Collection[Attempt]) -> None:
        """Return once all events of these attempts are published or dropped."""
        while self.unpublished(attempts):
            self._done.clear()
            await self._done.wait()
