"""Runs attempts of a `def` model one by one."""

import logging
from queue import SimpleQueue
from time import perf_counter

from zypher.replica.attempts import Attempts
from zypher.replica.endings import failed, raised, returned
from zypher.replica.forks import leave_fork
from zypher.replica.runner import Replica
from zypher.replica.running import Running
from zypher.worker.protocol import Failed, Run, Stop, Stopped, Succeeded

logger = logging.getLogger(__name__)

_ENDED = 0  # in the place of an attempt's number: there will be no more


class Singles:
    """Keeps the contract of `zypher.replica.threads.Work`."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._attempts = Attempts(replica.cells)
        self._ready: SimpleQueue[int] = SimpleQueue()  # the numbers of attempts that may begin

    @property
    def running(self) -> bool:
        return self._attempts.running

    def add(self, run: Run) -> None:
        self._attempts.add(run)
        self._ready.put(run.number)

    def wake(self) -> int:
        return len(self._attempts)

    def stop(self, stop: Stop) -> Stopped | None:
        return self._attempts.stop(stop)

    def end(self) -> None:
        self._ready.put(_ENDED)

    def fill_slot(self, slot: int) -> None:
        attempts = self._attempts
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
            ending = failed(run, context.stopped, error, perf_counter() - started_s)
        else:
            leave_fork()
            ending = returned(run, output, perf_counter() - started_s, self._replica.max_output_bytes)
        self._replica.prints.end_prediction(run.prediction_id)
        return ending

    def _interrupted(self, slot: int, error: BaseException) -> Failed | None:
        """The ending of an attempt that had just begun or ended; what was taken and had not begun is ready again."""
        context = self._attempts.interrupted(slot)
        if context is not None:
            context.end()
        logger.error("a signal handler of the model raised beside an attempt", exc_info=error)
        for number in self._attempts.waiting():
            self._ready.put(number)  # twice is harmless: the second finds it begun
        return None if context is None else raised(context.run, error, 0.0)
