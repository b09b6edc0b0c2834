"""Runs a `def` model: in the process's main thread, and with more slots in a thread for each."""

import logging
from _thread import start_new_thread
from collections.abc import Awaitable, Callable
from os import _exit as exit_process
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from traceback import print_exc

from zypher.replica.endings import failed, raised, returned
from zypher.replica.forks import leave_fork
from zypher.replica.interruption import listen_in_main_thread
from zypher.replica.own_imports import own_import
from zypher.replica.runner import Replica, closing, leave_attempts, pong
from zypher.replica.running import Running
from zypher.worker.protocol import Failed, Loaded, Ping, Run, Stop, Stopped, Succeeded

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
        self._short_of_threads = False

    def run(self) -> None:
        """As `Runner.run`."""
        model = self._replica.model
        listen_in_main_thread()
        # Not a Thread: a model that patches those, as gevent does, would not let it run.
        start_new_thread(self._read_to_the_end, ())
        _call(model.setup)
        self._replica.channel.send(Loaded(model.card))
        self._fill_slot(0)
        leave_attempts(self._replica)
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
        leave_attempts(self._replica)
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
        attempts = self._replica.attempts
        while True:
            try:
                number = self._ready.get()
                if number == _ENDED:
                    self._ready.put(_ENDED)  # for the next thread
                    return
                context = attempts.begin(number, slot)
                ending = None if context is None else self._attempt(context)
            except BaseException as error:  # of a signal handler of the model, beside an attempt
                ending = self._interrupted(slot, error)
            if ending is not None:
                attempts.end(slot)
                self._replica.channel.send(ending)

    def _attempt(self, context: Running) -> Succeeded | Failed | Stopped:
        run, model = context.run, self._replica.model
        started_s = perf_counter()
        try:
            try:
                context.let_stop()
                output = model.encode_output(model.predict(model.decode_input(run.input)))
            finally:
                context.end()
        except BaseException as error:  # SystemExit and the like end the attempt, not the replica
            context.end()  # what was raised may have come before the line above could do it
            leave_fork(error)
            ending = failed(context, error, perf_counter() - started_s)
        else:
            leave_fork()
            ending = returned(run, output, perf_counter() - started_s, self._replica.max_output_bytes)
        self._replica.prints.end_prediction(run.prediction_id)
        return ending

    def _interrupted(self, slot: int, error: BaseException) -> Failed | None:
        """The ending of an attempt that had just begun or ended; what was taken and had not begun is ready again."""
        context = self._replica.attempts.interrupted(slot)
        if context is not None:
            context.end()
        logger.error("a signal handler of the model raised beside an attempt", exc_info=error)
        for number in self._replica.attempts.waiting():
            self._ready.put(number)  # twice is harmless: the second finds it begun
        return None if context is None else raised(context.run, error, 0.0)


def _call(step: Callable[[], Awaitable[None] | None]) -> None:
    pending = step()
    if pending is None:
        return

    async def finish() -> None:
        await pending

    own_import("asyncio").run(finish())  # most models of this kind do without
