"""Runs a `def` model: in the process's main thread, and with more slots in a thread for each."""

import logging
from _thread import start_new_thread
from collections.abc import Awaitable, Callable
from os import _exit as exit_process
from threading import Thread
from traceback import print_exc
from typing import Protocol

from zypher.replica.interruption import listen_in_main_thread
from zypher.replica.own_imports import own_import
from zypher.replica.runner import Replica, closing, leave_attempts, pong
from zypher.worker.protocol import Loaded, Ping, Run, Stop, Stopped

logger = logging.getLogger(__name__)


class Work(Protocol):
    """Attempts, and how threads run them: `singles.Singles`, or `batches.threads.BatchesInThreads`."""

    @property
    def running(self) -> bool:
        """Whether an attempt has begun and not ended."""
        ...

    def add(self, run: Run) -> None:
        """It waits for its slot."""
        ...

    def wake(self) -> int:
        """Let those run that were added. How many threads there is work for."""
        ...

    def stop(self, stop: Stop) -> Stopped | None:
        """Drop one that waits, which is its ending; or interrupt the thread that runs it."""
        ...

    def fill_slot(self, slot: int) -> None:
        """Run attempts, one after the other, until `end`."""
        ...

    def end(self) -> None:
        """There will be no more attempts."""
        ...


class Threads:
    """The model is set up, run and closed in the main thread, where signals and handles work as in a script.

    The channel is read in a thread of its own. Further threads are started as attempts need them.
    """

    def __init__(self, replica: Replica, work: Work) -> None:
        self._replica = replica
        self._work = work
        self._slots_used = 1
        self._short_of_threads = False

    def run(self) -> None:
        """As `Runner.run`."""
        model = self._replica.model
        listen_in_main_thread()
        # Not a Thread: a model that patches those, as gevent does, would not let it run.
        start_new_thread(self._read_to_the_end, ())
        _call(model.setup)
        self._replica.channel.send(Loaded(model.card))
        self._work.fill_slot(0)
        leave_attempts(self._replica.prints, running=self._work.running)
        with closing():
            _call(model.close)

    def close(self) -> None:
        """As `Runner.close`: nothing runs there between two calls."""

    def _read_to_the_end(self) -> None:
        try:
            self._read()
        except BaseException:
            print_exc()
            exit_process(1)  # a replica that receives nothing must not live on

    def _read(self) -> None:
        channel, work = self._replica.channel, self._work
        while (messages := channel.receive()) is not None:
            for message in messages:
                match message:
                    case Run():
                        work.add(message)
                    case Stop():
                        if (stopped := work.stop(message)) is not None:
                            channel.send(stopped)
                    case Ping():
                        channel.send(pong())
                    case _:
                        raise AssertionError(message)
            self._use_slots(min(work.wake(), self._replica.slots))
        leave_attempts(self._replica.prints, running=work.running)
        work.end()

    def _use_slots(self, needed: int) -> None:
        while self._slots_used < needed:
            slot = self._slots_used
            try:
                Thread(target=self._work.fill_slot, args=(slot,), name=f"slot {slot}", daemon=True).start()
            except RuntimeError as error:
                # The attempt waits; one of the threads that there are takes it.
                if not self._short_of_threads:
                    logger.warning("slots share threads; allow this process more", extra={"problem": str(error)})
                self._short_of_threads = True
                return
            self._slots_used += 1


def _call(step: Callable[[], Awaitable[None] | None]) -> None:
    pending = step()
    if pending is None:
        return

    async def finish() -> None:
        await pending

    own_import("asyncio").run(finish())  # most models of this kind do without
