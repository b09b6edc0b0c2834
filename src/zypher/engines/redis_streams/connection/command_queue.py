"""The commands that wait for one exchange, and the batches in which they are sent."""

import asyncio
from collections.abc import Callable, Coroutine

from zypher.clock import Clock, Timer
from zypher.engines.redis_streams.connection.command import Command
from zypher.engines.redis_streams.connection.exchange import Exchange

_MOST = 512  # commands that are sent together
_MOST_BYTES = 4_194_304  # the one that exceeds it is the last
_PATIENCE_S = 0.1  # with a batch that is not answered, until the next one follows it


class CommandQueue:
    """Sends batches in the order of the calls: each once the one before is answered, or takes its time.

    It does not take its time with an exchange that does not overlap.
    """

    def __init__(
        self, exchange: Exchange, send: Callable[[Exchange, list[Command]], Coroutine[None, None, None]], clock: Clock
    ) -> None:
        self._exchange = exchange
        self._send = send
        self._clock = clock
        self._waiting: list[Command] = []
        self._flushing: asyncio.Task[None] | None = None  # the one that sends the next batch
        self._flushes: set[asyncio.Task[None]] = set()  # all of them
        self._sending = False  # it has taken a batch, and what is added now waits for the next one
        self._impatient: Timer | None = None

    def add(self, command: Command) -> None:
        """Send it with the next batch."""
        self._waiting.append(command)
        self._begin()

    def add_first(self, commands: list[Command]) -> None:
        """Send these before all that waits."""
        self._waiting[:0] = commands
        self._begin()

    def take(self) -> list[Command]:
        """All that waits, which is not sent any more."""
        waiting, self._waiting = self._waiting, []
        return waiting

    async def close(self) -> None:
        """Return once nothing waits and nothing is under way."""
        while self._flushes:
            await asyncio.wait(self._flushes)

    def _begin(self) -> None:
        if self._flushing is None:
            if self._waiting:
                self._flush_now()
        else:
            self._be_impatient()

    def _flush_now(self) -> None:
        self._sending = False
        self._flushing = asyncio.create_task(self._flush(), name="redis-commands")
        self._flushes.add(self._flushing)
        self._flushing.add_done_callback(self._flushes.discard)

    async def _flush(self) -> None:
        own = asyncio.current_task()
        try:
            while self._waiting and self._flushing is own:
                batch = self._next_batch()
                self._sending = True
                self._be_impatient()
                await self._send(self._exchange, batch)
        finally:
            if self._flushing is own:
                self._flushing = None
                self._be_patient()

    def _be_impatient(self) -> None:
        if self._waiting and self._sending and self._impatient is None and self._exchange.overlaps:
            self._impatient = self._clock.call_later(_PATIENCE_S, self._flush_on)

    def _be_patient(self) -> None:
        if self._impatient is not None:
            self._impatient.cancel()
            self._impatient = None

    def _flush_on(self) -> None:
        """Wait no longer for the batch that is under way: another flush sends what follows it."""
        self._impatient = None
        if self._waiting:
            self._flush_now()

    def _next_batch(self) -> list[Command]:
        number, size_bytes = 0, 0
        while number < min(_MOST, len(self._waiting)) and size_bytes < _MOST_BYTES:
            size_bytes += self._waiting[number].size_bytes
            number += 1
        batch, self._waiting = self._waiting[:number], self._waiting[number:]
        return batch
