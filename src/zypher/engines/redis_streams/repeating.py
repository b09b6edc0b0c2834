"""A step that is taken again and again in the background: the loop that rounds and notices share."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError

from zypher.clock import Clock
from zypher.errors import EngineUnavailable

logger = logging.getLogger(__name__)


class Repeating:
    """Calls `step` in a named task, `pause_s` after it ended, until stopped.

    That Redis is away is for others to tell. Whatever nobody foresaw is in the log, and in `problem` until a
    step ends well; it does not end the task, for without it nothing would ever come back.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[None]], clock: Clock, pause_s: float) -> None:
        self.problem: str | None = None  # a sentence
        self._name = name
        self._step = step
        self._clock = clock
        self._pause_s = pause_s
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._repeat(), name=self._name)

    async def stop(self) -> None:
        """End it, wherever it is; may happen twice."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _repeat(self) -> None:
        while True:
            try:
                await self._step()
                self.problem = None
            except (EngineUnavailable, RedisError, OSError):
                pass
            except asyncio.CancelledError as error:
                if self._stopping:
                    raise
                self._failed(error)  # by something that the step waited for
            except Exception as error:
                self._failed(error)
            await self._clock.sleep(self._pause_s)

    def _failed(self, error: BaseException) -> None:
        problem = f"The engine's {self._name} failed ({type(error).__name__}: {error}); the log has more."
        if problem != self.problem:
            logger.error("a duty of the engine failed", extra={"duty": self._name}, exc_info=error)
        self.problem = problem
