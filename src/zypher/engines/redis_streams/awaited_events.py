"""Reads the events of predictions, and waits for those that do not exist yet."""

from zypher.clock import Clock
from zypher.engines.redis_streams.finder import Finder
from zypher.engines.redis_streams.keys import to_text
from zypher.engines.redis_streams.transitions.events import Events
from zypher.engines.waiters import Waiters
from zypher.prediction import Event


class AwaitedEvents:
    """Redis publishes to this process that a prediction has new events or has ended.

    That message may be lost, so a waiter also reads after each sweep.
    """

    def __init__(self, finder: Finder, events: Events, clock: Clock) -> None:
        self._finder = finder
        self._events = events
        self._clock = clock
        self._waiters = Waiters[None](clock)

    async def read(self, prediction_id: str, after: int, wait_s: float) -> list[Event] | None:
        """Keeps the contract of `Submissions.events`."""
        ends = self._clock.monotonic() + wait_s
        standing = await self._finder.find(prediction_id, watch=False)
        if standing is None:
            return None
        with self._waiters.waiting(prediction_id) as waiter:
            while True:
                waiter.reset()
                left_s = ends - self._clock.monotonic()
                found = await self._events.read(standing.model, prediction_id, after, listen=left_s > 0)
                if found is None:
                    return None
                if found.events or found.ended or left_s <= 0:
                    return found.events
                await waiter.wait(left_s)

    def wake(self, content: bytes) -> None:
        """Wake by what was published, which is the prediction's id."""
        self._waiters.wake(to_text(content))

    def wake_all(self) -> None:
        self._waiters.wake_all()
