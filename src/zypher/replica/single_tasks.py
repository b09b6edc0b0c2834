"""Runs attempts of an `async def` model in a task each."""

import asyncio
from time import perf_counter
from typing import Any

from zypher.replica.attempts import Attempts
from zypher.replica.endings import failed, returned
from zypher.replica.forks import leave_fork
from zypher.replica.runner import Replica
from zypher.replica.tasks import Tasks
from zypher.worker.protocol import Run, Stop


class SingleTasks(Tasks):
    """No attempt waits: its worker sends no more than there are slots."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica)
        self._attempts = Attempts(replica.cells)
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by number

    @property
    def _running(self) -> bool:
        return self._attempts.running

    def _begin(self, runs: list[Run]) -> None:
        for run in runs:
            self._attempts.add(run)
            self._tasks[run.number] = self._loop.create_task(self._fill_slot(run.number))

    def _stop(self, stop: Stop) -> None:
        stopped = self._attempts.stop(stop)
        if stopped is not None:
            self._send(stopped)
        elif (task := self._tasks.get(stop.number)) is not None:
            task.cancel()

    async def _fill_slot(self, number: int) -> None:
        attempts, model = self._attempts, self._replica.model
        slot = self._free_slots.pop()
        started_s = perf_counter()
        context = attempts.begin(number, slot)
        if context is not None:
            run = context.run
            try:
                pending: Any = model.predict(model.decode_input(run.input))
                output = model.encode_output(await pending)
            except BaseException as error:
                leave_fork(error)
                ending = failed(run, context.stopped, error, perf_counter() - started_s)
            else:
                leave_fork()
                ending = returned(run, output, perf_counter() - started_s, self._replica.max_output_bytes)
            self._replica.prints.end_prediction(run.prediction_id)
            attempts.end(slot)
            self._send(ending)
        self._free_slots.append(slot)
        del self._tasks[number]
