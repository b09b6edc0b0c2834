"""The life of a process that serves: start, work, on a signal lame duck, drain and stop, at once on a second one."""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Coroutine
from typing import Protocol, TypeVar

logger = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # these stop a process

T = TypeVar("T")


class Interrupted(Exception):
    """A signal ended the work."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Process(Protocol):
    """The parts of a process, and in which order they begin and end."""

    died: asyncio.Future[None]  # raises when a part cannot go on

    async def start(self) -> None:
        """Begin; returns once all that is quick has begun. Raises `StartError`."""
        ...

    async def get_ready(self) -> None:
        """Return once predictions can be run, which may take long. Raises `StartError`."""
        ...

    def retire(self) -> None:
        """Say that it is not ready any more, and go on."""
        ...

    async def drain(self) -> None:
        """Accept nothing new, and let what runs end."""
        ...

    async def stop(self) -> None:
        """End all parts, also of a start that failed."""
        ...

    def hurry(self) -> None:
        """Give nothing time to end from now on, also in a `stop` that has begun."""
        ...


async def run_until_stopped(process: Process, lame_duck_s: float = 0.0) -> bool:
    """Run a process from its start to its end. Raises `StartError`.

    From the first signal on it is not ready, and goes on for `lame_duck_s` seconds before it drains. False when a
    second signal cut its end short. Signals that come later, while the interpreter ends, change nothing.
    """
    return await _Lifecycle(process, lame_duck_s).run()


async def run_until_signal(work: Coroutine[object, object, T]) -> T:
    """The result of the work. A signal cancels it, as does each further one; then raises `Interrupted`."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    signals, received = _signals(), list[int]()

    def interrupt(number: int) -> None:
        received.append(number)
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, interrupt, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise Interrupted(received[0]) from None
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class _Lifecycle:
    def __init__(self, process: Process, lame_duck_s: float) -> None:
        self._process = process
        self._lame_duck_s = lame_duck_s
        self._signals = _signals()
        self._first_signal = asyncio.Event()
        self._second_signal = asyncio.Event()

    async def run(self) -> bool:
        self._listen_to_signals()
        try:
            await _first_of(self._begin(), self._first_signal.wait())
            await _first_of(self._first_signal.wait(), asyncio.shield(self._process.died))
            await _first_of(self._leave(), self._second_signal.wait(), asyncio.shield(self._process.died))
        finally:
            await self._process.stop()
            self._ignore_signals()
        logger.info("stopped")
        return not self._second_signal.is_set()

    async def _leave(self) -> None:
        self._process.retire()
        await asyncio.sleep(self._lame_duck_s)
        await self._process.drain()

    async def _begin(self) -> None:
        await self._process.start()
        await self._process.get_ready()
        # Objects that live as long as the process need no garbage collection.
        gc.freeze()
        # Predictions leave no cycles behind: collecting after every 700 of their objects costs a twentieth.
        gc.set_threshold(10_000, 20, 50)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in self._signals:
            loop.add_signal_handler(number, self._signalled, number)

    def _ignore_signals(self) -> None:
        """For good: without the loop's handlers, a late signal would kill the process."""
        loop = asyncio.get_running_loop()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)  # between the two steps
        for number in self._signals:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _signalled(self, number: signal.Signals) -> None:
        if self._first_signal.is_set():
            self._second_signal.set()
            self._process.hurry()
            return
        self._first_signal.set()
        logger.info("stopping; a second signal stops at once", extra={"signal": number.name})


def _signals() -> tuple[signal.Signals, ...]:
    """Those that stop this process: not SIGHUP if it was started to survive its terminal, as by `nohup`."""
    survives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return tuple(number for number in STOPPING if not (survives and number == signal.SIGHUP))


async def _first_of(*waits: Awaitable[object]) -> None:
    """Wait until one of them ends, raise what it raised, and cancel the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
