"""A named background task that repeats one asynchronous step until it is stopped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from zypher.clock import Clock
from zypher.errors import EngineUnavailable

logger = logging.getLogger(__name__)

_PAUSE_S = 1.0


class BackgroundLoop:
    """Calls `step` in a task of this name, again `period_s` after each one that succeeded has begun.

    After an error of `survives` or `quiet` the next step begins `pause_s` later. One of `survives` is logged once, and
    is in `error` until a step succeeds; one of `quiet` is reported by another part, so it changes nothing here. Any
    other error ends the loop, and `ended` returns it. A step that is cancelled by something that it waited for
    raises `RuntimeError`.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[None]],
        clock: Clock,
        pause_s: float = _PAUSE_S,
        *,
        period_s: float = 0.0,
        survives: tuple[type[Exception], ...] = (EngineUnavailable,),
        quiet: tuple[type[Exception], ...] = (),
    ) -> None:
        self.error: Exception | None = None
        self._name = name
        self._step = step
        self._clock = clock
        self._pause_s = pause_s
        self._period_s = period_s
        self._survives = survives
        self._quiet = quiet
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with the first step at once; after a `stop` it may begin again."""
        self._stopping = False
        self._task = asyncio.create_task(self._repeat(), name=self._name)

    async def stop(self) -> None:
        """Cancel the step or the pause, and return once the task has ended; may happen twice, and before `start`."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def ended(self) -> BaseException | None:
        """Wait until the task has ended; returns the error that ended it, None for `stop`. Needs `start` first."""
        assert self._task is not None
        await asyncio.wait({self._task})
        if self._task.cancelled():
            return None if self._stopping else self._interrupted()
        return self._task.exception()

    async def _repeat(self) -> None:
        while True:
            delay_s, began_s = self._pause_s, self._clock.monotonic()
            try:
                await self._take_step()
                self.error, delay_s = None, began_s + self._period_s - self._clock.monotonic()
            except self._quiet:
                pass
            except self._survives as error:
                self._log(error)
                self.error = error
            if delay_s > 0:
                await self._clock.sleep(delay_s)

    async def _take_step(self) -> None:
        try:
            await self._step()
        except asyncio.CancelledError as error:
            if self._stopping:
                raise
            raise self._interrupted() from error

    def _interrupted(self) -> RuntimeError:
        return RuntimeError(f"the duty {self._name} was cancelled by something that it waited for")

    def _log(self, error: Exception) -> None:
        """Log an error that is not the one of the step before; an engine that is away has many texts, and one entry."""
        if isinstance(error, EngineUnavailable):
            if not isinstance(self.error, EngineUnavailable):
                logger.warning("the engine is away", extra={"duty": self._name, "problem": str(error)})
        elif repr(error) != repr(self.error):
            logger.error("a duty failed", extra={"duty": self._name}, exc_info=error)
