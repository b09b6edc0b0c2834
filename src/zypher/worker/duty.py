"""A background duty: the loop that the receiver and the leases share."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from zypher.clock import Clock
from zypher.errors import EngineUnavailable

logger = logging.getLogger(__name__)

_PAUSE_S = 1.0


class Duty:
    """Calls `step` again and again in a named task, until stopped.

    An engine that is away makes it pause, and is in the log once. Any other end of it that nobody asked for reaches
    `died`: a worker whose duty is dead must not go on as if it lived.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[None]],
        clock: Clock,
        died: Callable[[BaseException], None],
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._name = name
        self._step = step
        self._clock = clock
        self._died = died
        self._pause_s = pause_s
        self._away = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._repeat(), name=self._name)
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End it, wherever it is; may happen twice."""
        if self._task is not None:
            self._task.remove_done_callback(self._ended)
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _repeat(self) -> None:
        while True:
            try:
                await self._step()
                self._away = False
            except EngineUnavailable as error:
                if not self._away:
                    logger.warning("the engine is away", extra={"duty": self._name, "problem": str(error)})
                self._away = True
                await self._clock.sleep(self._pause_s)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self._died(error or RuntimeError(f"the duty {self._name} was cancelled by something that it waited for"))
