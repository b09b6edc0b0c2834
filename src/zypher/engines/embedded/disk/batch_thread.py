"""A thread that handles all queued items at once, and calls their results back on the event loop."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Callbacks = Sequence[Callable[[], None]]

logger = logging.getLogger(__name__)

_MOST = 512  # items in one batch, about


class BatchThread(Generic[Item]):
    """While a batch is handled the next one gathers; each takes one call into the event loop for its results.

    What one turn of the event loop submits is handed over at its end: each hand-over may take the GIL from the loop.

    `handle` runs in the thread, never raises, and returns what to call on the event loop; a callback that raises is
    logged and does not keep the others from being called. `when_idle` runs there after a batch, while nothing waits,
    again and again as long as it returns True.
    """

    def __init__(
        self, name: str, handle: Callable[[list[Item]], Callbacks], when_idle: Callable[[], bool] = lambda: False
    ) -> None:
        self._handle = handle
        self._when_idle = when_idle
        self._submitted: list[Item] = []  # in this turn of the event loop
        self._inbox: SimpleQueue[list[Item] | None] = SimpleQueue()
        # A daemon: a process that ends without `stop` must not wait for it.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._thread.start()

    def submit(self, item: Item) -> None:
        if not self._submitted and self._loop is not None:
            self._loop.call_soon(self._hand_over)
        self._submitted.append(item)

    async def stop(self) -> None:
        """Return once all items are handled, their results are called back and the thread has ended."""
        if self._ended is not None and not self._ended.done():
            self._hand_over()
            self._inbox.put(None)
            await asyncio.shield(self._ended)
            self._thread.join()

    def _hand_over(self) -> None:
        self._inbox.put(self._submitted)
        self._submitted = []

    def _run(self) -> None:
        stopped = False
        while not stopped:
            batch, stopped = self._gather()
            if batch:
                self._call_back(self._handle(batch))
            del batch  # its inputs and outputs, which nothing else may need while this thread waits
            while not stopped and self._inbox.empty() and self._when_idle():
                continue
        self._call_back([self._end])

    def _gather(self) -> tuple[list[Item], bool]:
        """What waits now, at least one item; and whether it is the last of all."""
        batch: list[Item] = []
        items = self._inbox.get()
        while items is not None:
            batch += items
            if len(batch) >= _MOST:
                return batch, False
            try:
                items = self._inbox.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _call_back(self, callbacks: Callbacks) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(_call_each, callbacks)

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


def _call_each(callbacks: Callbacks) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception:  # the others of the batch are called all the same
            logger.exception("a result of the disk could not be passed on")
