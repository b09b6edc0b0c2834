"""Runs batches of an `async def` model in a task each."""

import asyncio
from typing import Any

from zypher.replica.batches.batch import Batch
from zypher.replica.batches.calls import Calls
from zypher.replica.batches.line import Line
from zypher.replica.batches.release import BatchLimits
from zypher.replica.forks import leave_fork
from zypher.replica.runner import Replica
from zypher.replica.tasks import Tasks
from zypher.worker.protocol import Run, Stop, Stopped


class BatchTasks(Tasks):
    """A batch begins when an attempt arrives, when a slot is free again, or when the oldest one has waited."""

    def __init__(self, replica: Replica, limits: BatchLimits) -> None:
        super().__init__(replica)
        self._line = Line(replica.cells, limits)
        self._tasks: dict[Batch, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _running(self) -> bool:
        return self._line.running > 0

    def _begin(self, runs: list[Run]) -> None:
        for run in runs:
            self._line.add(run)
        if runs:
            self._form()

    def _stop(self, stop: Stop) -> None:
        stopped = self._line.stop(stop)
        if isinstance(stopped, Stopped):
            self._send(stopped)
        elif isinstance(stopped, Batch) and stopped.stopped is None:
            stopped.stop(stop.reason)
            self._tasks[stopped].cancel()

    def _form(self) -> None:
        """Begin the batches that may go, and look again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._free_slots:
            formed = self._line.form(self._free_slots[-1])
            if isinstance(formed, Batch):
                self._tasks[formed] = self._loop.create_task(self._run(formed, self._free_slots.pop()))
                continue
            if formed is not None:
                self._timer = self._loop.call_later(formed, self._form)
            return

    async def _run(self, batch: Batch, slot: int) -> None:
        model = self._replica.model
        calls = Calls(self._replica, batch)
        try:
            pending: Any
            if calls.single:
                pending = model.predict(calls.input())
                calls.output(await pending)
            elif inputs := calls.inputs():
                pending = calls.predict(inputs)
                calls.outputs(await pending)
        except BaseException as error:
            leave_fork(error)
            calls.raised(error)
        else:
            leave_fork()
        self._replica.prints.end_prediction(batch.prediction_id)
        self._line.end(slot, calls.again)
        self._send(calls.report(), *calls.endings)
        self._free_slots.append(slot)
        del self._tasks[batch]
        self._form()
