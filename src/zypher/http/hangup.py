"""How a handler that waits is interrupted when its client goes away."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")


class HungUp(Exception):
    """The client has gone; nobody reads an answer."""


class Hangup:
    """The end of one connection of our own server, for the handlers of its requests.

    A wait costs two assignments: no task watches the connection, the connection calls.
    """

    __slots__ = ("_happened", "_waiting")

    def __init__(self) -> None:
        self._happened = False
        self._waiting: asyncio.Task[object] | None = None

    def happen(self) -> None:
        """The connection is lost: whoever waits, now or later, is interrupted."""
        if self._waiting is not None and not self._happened:
            self._waiting.cancel()
        self._happened = True

    async def interrupts(self, wait: Coroutine[object, object, T]) -> T:
        """Wait, unless the client goes first: then the wait is cancelled and `HungUp` raised."""
        if self._happened:
            wait.close()
            raise HungUp
        self._waiting = task = asyncio.current_task()
        try:
            return await wait
        except asyncio.CancelledError:
            if not self._happened or task is None or task.uncancel():
                raise
            raise HungUp from None
        finally:
            self._waiting = None


class ReceivedHangup(Hangup):
    """The same on any ASGI server, which says `http.disconnect` to whoever asks: a task asks while a handler waits."""

    __slots__ = ("_receive",)

    def __init__(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
        super().__init__()
        self._receive = receive

    async def interrupts(self, wait: Coroutine[object, object, T]) -> T:
        watching = asyncio.ensure_future(self._watch())
        try:
            return await super().interrupts(wait)
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.happen()
