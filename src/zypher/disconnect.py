"""Interrupts a waiting handler when its client disconnects."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")


class ClientDisconnected(Exception):
    """The client disconnected; a response would not be read."""


class Disconnect:
    """The disconnect of one connection of our own server, for the handlers of its requests.

    A wait costs two assignments: the connection calls `set`, no task watches for it.
    """

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: asyncio.Task[object] | None = None

    def set(self) -> None:
        """The connection is lost: interrupt the handler that waits, and each that waits later."""
        if self._waiting is not None and not self._is_set:
            self._waiting.cancel()
        self._is_set = True

    async def interrupts(self, wait: Coroutine[object, object, T]) -> T:
        """Wait; raises `ClientDisconnected`, and cancels the wait, when the client disconnects first."""
        if self._is_set:
            wait.close()
            raise ClientDisconnected
        self._waiting = task = asyncio.current_task()
        try:
            return await wait
        except asyncio.CancelledError:
            if not self._is_set or task is None or task.uncancel():
                raise
            raise ClientDisconnected from None
        finally:
            self._waiting = None


class AsgiDisconnect(Disconnect):
    """The same on any ASGI server: while a handler waits, a task receives until `http.disconnect`."""

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
        self.set()
