"""How a handler that waits learns that its client has gone."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


class HungUp(Exception):
    """The client has gone; nobody reads an answer."""


class Hangup:
    """The end of one connection, seen from a handler.

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
