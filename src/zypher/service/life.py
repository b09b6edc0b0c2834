"""The life of a process that serves: start, work, drain on a signal, stop at once on a second one."""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable
from typing import Protocol

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Shape(Protocol):
    """The parts of a process, and in which order they begin and end."""

    died: asyncio.Future[None]  # raises when a part cannot go on

    async def start(self) -> None:
        """Begin; returns once all that is quick has begun. Raises `StartError`."""
        ...

    async def get_ready(self) -> None:
        """Return once predictions can be run, which may take long. Raises `StartError`."""
        ...

    async def drain(self) -> None:
        """Take nothing new and let what runs end."""
        ...

    async def stop(self, *, in_haste: bool) -> None:
        """End all parts, however far they have come; in haste nobody is waited for."""
        ...


async def live(shape: Shape) -> bool:
    """Lead a process from its start to its end. Raises `StartError`.

    False when a second signal ended it before it had drained. Signals that come later, while the
    interpreter ends, change nothing.
    """
    return await _Life(shape).lead()


class _Life:
    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._stop = asyncio.Event()  # the first signal
        self._haste = asyncio.Event()  # the second

    async def lead(self) -> bool:
        self._listen_to_signals()
        try:
            await _first(self._begin(), self._stop.wait())
            await _first(self._stop.wait(), asyncio.shield(self._shape.died))
            await _first(self._shape.drain(), self._haste.wait(), asyncio.shield(self._shape.died))
        finally:
            in_haste = self._haste.is_set()
            await self._shape.stop(in_haste=in_haste)
            self._ignore_signals()
        logger.info("stopped")
        return not in_haste

    async def _begin(self) -> None:
        await self._shape.start()
        await self._shape.get_ready()
        # What lives as long as the process need not be looked at again by the collector.
        gc.freeze()
        # Predictions leave no cycles behind: looking for some after every 700 of their objects costs a twentieth.
        gc.set_threshold(10_000, 20, 50)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)

    def _ignore_signals(self) -> None:
        """For good: the loop would take its handlers with it, and what signals do without them is to kill."""
        loop = asyncio.get_running_loop()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # between the two steps
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _signalled(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            self._haste.set()
            return
        self._stop.set()
        logger.info("stopping; a second signal stops at once", extra={"signal": number.name})


async def _first(*waits: Awaitable[object]) -> None:
    """Wait until one of them ends, raise what it raised, and cancel the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
