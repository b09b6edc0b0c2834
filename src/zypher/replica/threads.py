"""Runs a `def` model: in the process's main thread, and with more slots in a thread for each."""

import logging
import os
import time
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from threading import Thread

from zypher.errors import TargetError
from zypher.replica.endings import raised, returned
from zypher.replica.forks import leave_fork
from zypher.replica.runner import Replica, pong
from zypher.worker.protocol import Failed, Loaded, Ping, Run, Stop, Succeeded

logger = logging.getLogger(__name__)

_ENDED = 0  # in the place of an attempt's number: there will be no more


class Threads:
    """The model is set up, run and closed in the main thread, where signals and handles work as in a script.

    The channel is read in a thread of its own. Further threads are started as attempts need them.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._ready: SimpleQueue[int] = SimpleQueue()  # the numbers of attempts that may begin
        self._slots_used = 1
        self._loaded = False
        self._short_of_threads = False

    def run(self) -> None:
        """As `Runner.run`."""
        model = self._replica.model
        Thread(target=self._read, name="channel", daemon=True).start()
        _call(model.setup)
        self._loaded = True
        self._replica.channel.send(Loaded(model.card))
        self._fill_slot(0)
        if self._replica.attempts.running:
            return
        try:
            _call(model.close)
        except TargetError as error:
            logger.warning("the model did not close", extra={"reason": str(error), "details": error.details})

    def _read(self) -> None:
        channel, attempts = self._replica.channel, self._replica.attempts
        while (messages := channel.receive()) is not None:
            for message in messages:
                match message:
                    case Run():
                        attempts.add(message)
                        self._ready.put(message.number)
                        self._use_slots(min(len(attempts), self._replica.slots))
                    case Stop():
                        if (stopped := attempts.stop(message)) is not None:
                            channel.send(stopped)
                    case Ping():
                        channel.send(pong())
                    case _:
                        raise AssertionError(message)
        if attempts.running or not self._loaded:
            os._exit(0)  # the worker is gone: no process takes an ending or a card
        self._ready.put(_ENDED)

    def _use_slots(self, needed: int) -> None:
        while self._slots_used < needed:
            slot = self._slots_used
            try:
                Thread(target=self._fill_slot, args=(slot,), name=f"slot {slot}", daemon=True).start()
            except RuntimeError as error:
                # The attempt waits; one of the threads that there are takes it.
                if not self._short_of_threads:
                    logger.warning("slots share threads; allow this process more", extra={"problem": str(error)})
                self._short_of_threads = True
                return
            self._slots_used += 1

    def _fill_slot(self, slot: int) -> None:
        """Run one attempt after the other."""
        while (number := self._next()) != _ENDED:
            context = self._replica.attempts.begin(number, slot)
            if context is None:
                continue
            ending = self._attempt(context.run)
            self._replica.attempts.end(number)
            self._replica.channel.send(ending)

    def _next(self) -> int:
        while True:
            try:
                return self._ready.get()
            except BaseException:  # of a signal handler or an alarm that the model has set and not cleared
                logger.exception("a signal handler of the model raised between two attempts")

    def _attempt(self, run: Run) -> Succeeded | Failed:
        model = self._replica.model
        started = time.perf_counter()
        try:
            output = model.encode_output(model.predict(model.decode_input(run.input)))
        except BaseException as error:  # SystemExit and the like end the attempt, not the replica
            leave_fork(error)
            return raised(run, error, time.perf_counter() - started)
        leave_fork()
        return returned(run, output, time.perf_counter() - started, self._replica.max_output_bytes)


def _call(step: Callable[[], Awaitable[None] | None]) -> None:
    pending = step()
    if pending is None:
        return
    import asyncio  # most models of this kind do without

    async def finish() -> None:
        await pending

    asyncio.run(finish())
