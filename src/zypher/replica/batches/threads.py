"""Runs batches of a `def` model in threads."""

import logging
from _thread import allocate_lock  # by name, as all that a model may replace in its module
from queue import Empty, SimpleQueue

from zypher.replica.batches.batch import Batch
from zypher.replica.batches.calls import Calls
from zypher.replica.batches.line import Line
from zypher.replica.batches.release import BatchLimits
from zypher.replica.forks import leave_fork
from zypher.replica.runner import Replica
from zypher.worker.protocol import Run, Stop, Stopped

logger = logging.getLogger(__name__)


class BatchesInThreads:
    """Keeps the contract of `zypher.replica.threads.Work`.

    Of the threads that are free one forms the next batch, and the others wait for their turn: nothing runs while
    nothing is there to be run.
    """

    def __init__(self, replica: Replica, limits: BatchLimits) -> None:
        self._replica = replica
        self._line = Line(replica.cells, limits)
        self._turn = allocate_lock()
        self._changed: SimpleQueue[None] = SimpleQueue()  # has something in it once there is more to look at
        self._ended = False

    @property
    def running(self) -> bool:
        return self._line.running > 0

    def add(self, run: Run) -> None:
        self._line.add(run)

    def wake(self) -> int:
        self._look_again()
        return self._line.running + (self._line.waiting > 0)

    def stop(self, stop: Stop) -> Stopped | None:
        stopped = self._line.stop(stop)
        if isinstance(stopped, Batch):
            stopped.stop(stop.reason)
            return None
        return stopped

    def end(self) -> None:
        self._ended = True
        self._look_again()

    def fill_slot(self, slot: int) -> None:
        calls: Calls | None = None
        while True:
            try:
                with self._turn:
                    batch = self._next(slot)
                if batch is None:
                    return
                calls = Calls(self._replica, batch)
                self._call(batch, calls)
            except BaseException as error:  # of a signal handler of the model, beside a batch
                logger.exception("a signal handler of the model raised beside a batch")
                calls = self._interrupted(slot, error)
            if calls is not None:
                self._line.end(slot, calls.again)
                self._replica.channel.send(calls.report(), *calls.endings)

    def _next(self, slot: int) -> Batch | None:
        """Wait for the next batch; None once there will be no more."""
        while not self._ended:
            formed = self._line.form(slot)
            if isinstance(formed, Batch):
                return formed
            try:
                self._changed.get(timeout=formed)
            except Empty:  # its oldest member has waited
                continue
        self._look_again()  # for the next thread
        return None

    def _call(self, batch: Batch, calls: Calls) -> None:
        model = self._replica.model
        try:
            try:
                batch.let_stop()
                if calls.single:
                    calls.output(model.predict(calls.input()))
                elif inputs := calls.inputs():
                    calls.outputs(calls.predict(inputs))
            finally:
                batch.end()
        except BaseException as error:  # SystemExit and the like end the batch, not the replica
            batch.end()  # what was raised may have come before the line above could do it
            leave_fork(error)
            calls.raised(error)
        else:
            leave_fork()
        self._replica.prints.end_prediction(batch.prediction_id)

    def _interrupted(self, slot: int, error: BaseException) -> Calls | None:
        """The end of a batch that had just begun or ended."""
        batch = self._line.running_in(slot)
        if batch is None:
            return None
        batch.end()
        calls = Calls(self._replica, batch)
        calls.raised(error)
        return calls

    def _look_again(self) -> None:
        if self._changed.empty():
            self._changed.put(None)
