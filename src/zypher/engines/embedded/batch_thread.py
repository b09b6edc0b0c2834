"""A thread that works off all that waits at once, and the one way back to the event loop."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answers = Sequence[Callable[[], None]]

logger = logging.getLogger(__name__)

_MOST = 512  # items in one batch


class BatchThread(Generic[Item]):
    """While a batch is worked off the next one gathers; each is answered with one call into the event loop.

    `work` runs in the thread, never raises, and returns what to call on the event loop; one that raises is logged
    and does not keep the others from being called. `tidy` runs there after a batch, while nothing waits, again and
    again as long as it returns True.
    """

    def __init__(
        self, name: str, work: Callable[[list[Item]], Answers], tidy: Callable[[], bool] = lambda: False
    ) -> None:
        self._work = work
        self._tidy = tidy
        self._inbox: SimpleQueue[Item | None] = SimpleQueue()
        # A daemon: whatever ends the process without `stop` must not wait for it.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._thread.start()

    def give(self, item: Item) -> None:
        self._inbox.put(item)

    async def stop(self) -> None:
        """Return once all that was given is worked off and answered, and the thread has ended."""
        if self._ended is not None and not self._ended.done():
            self._inbox.put(None)
            await asyncio.shield(self._ended)
            self._thread.join()

    def _run(self) -> None:
        stopped = False
        while not stopped:
            batch, stopped = self._gather()
            if batch:
                self._answer(self._work(batch))
            while not stopped and self._inbox.empty() and self._tidy():
                continue
        self._answer([self._end])

    def _gather(self) -> tuple[list[Item], bool]:
        """What waits now, at least one item; and whether it is the last of all."""
        batch: list[Item] = []
        item = self._inbox.get()
        while item is not None:
            batch.append(item)
            if len(batch) == _MOST:
                return batch, False
            try:
                item = self._inbox.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _answer(self, answers: Answers) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(_call_each, answers)

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


def _call_each(answers: Answers) -> None:
    for answer in answers:
        try:
            answer()
        except Exception:  # the others of the batch wait for theirs
            logger.exception("an answer of the disk was not taken")
