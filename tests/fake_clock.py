"""A clock that stands still until a test moves it."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeTimer:
    """A call that is due at a reading of a FakeClock."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeClock:
    """Keeps the contract of zypher.clock.Clock; its time passes in `advance` and nowhere else."""

    def __init__(self, start: datetime = _START) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._timers: list[tuple[float, int, FakeTimer]] = []
        self._timers_made = 0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(callback)
        self._timers_made += 1
        heapq.heappush(self._timers, (self._elapsed_s + max(0.0, delay_s), self._timers_made, timer))
        return timer

    async def sleep(self, delay_s: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(delay_s, lambda: woken.done() or woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Let time pass: calls what becomes due, the earliest first, each at its own instant."""
        end_s = self._elapsed_s + seconds
        while self._timers and self._timers[0][0] <= end_s:
            due_s, _, timer = heapq.heappop(self._timers)
            self._elapsed_s = max(self._elapsed_s, due_s)
            if timer.callback is not None:
                timer.callback()
        self._elapsed_s = end_s

    def set_date(self, by: timedelta) -> None:
        """Let somebody set the date; no time passes."""
        self._start += by

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing is called; what became due is called by the next `advance`, late."""
        self._elapsed_s += seconds

    @property
    def pending(self) -> int:
        """How many calls are due later."""
        return sum(timer.callback is not None for _, _, timer in self._timers)


async def eventually(condition: Callable[[], object], within_s: float = 10) -> None:
    """Return once `condition` holds, letting the event loop run meanwhile; TimeoutError if it never does."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0)
