"""Runs an `async def` model: each attempt is a task of one event loop, which the channel shares."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import perf_counter
from typing import Any

import uvloop

from zypher.replica.endings import failed, returned
from zypher.replica.forks import leave_fork
from zypher.replica.runner import Replica, closing, leave_attempts, pong
from zypher.worker.protocol import Loaded, Ping, Run, Stop, ToWorker


class Tasks:
    """A loop that the model holds up cannot answer its worker either, so the worker finds out."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._loop = self._runner.get_loop()
        self._worker_gone = False
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by number
        self._free_slots = list(range(replica.slots))
        self._outgoing: list[ToWorker] = []

    def run(self) -> None:
        """As `Runner.run`."""
        loop, model, channel = self._loop, self._replica.model, self._replica.channel
        loop.run_until_complete(_called(model.setup))
        channel.send(Loaded(model.card))
        loop.add_reader(channel.fileno(), self._receive)
        while not self._worker_gone:
            # A SystemExit or KeyboardInterrupt in a task that an attempt began, or its loop.stop(), leaves the loop.
            with suppress(SystemExit, KeyboardInterrupt):
                loop.run_forever()
        leave_attempts(self._replica)
        with closing():
            loop.run_until_complete(_called(model.close))

    def close(self) -> None:
        """As `Runner.close`: cancels what tasks there are, as `asyncio.run` does."""
        self._runner.close()

    def _receive(self) -> None:
        messages = self._replica.channel.receive(wait=False)
        if messages is None:
            self._loop.remove_reader(self._replica.channel.fileno())
            self._worker_gone = True
            self._loop.stop()
            return
        for message in messages:
            match message:
                case Run():
                    self._replica.attempts.add(message)
                    self._tasks[message.number] = self._loop.create_task(self._fill_slot(message.number))
                case Stop():
                    self._stop(message)
                case Ping():
                    self._send(pong())
                case _:
                    raise AssertionError(message)

    def _stop(self, stop: Stop) -> None:
        stopped = self._replica.attempts.stop(stop)
        if stopped is not None:
            self._send(stopped)
        elif (task := self._tasks.get(stop.number)) is not None:
            task.cancel()

    async def _fill_slot(self, number: int) -> None:
        attempts, model = self._replica.attempts, self._replica.model
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
                ending = failed(context, error, perf_counter() - started_s)
            else:
                leave_fork()
                ending = returned(run, output, perf_counter() - started_s, self._replica.max_output_bytes)
            self._replica.prints.end_prediction(run.prediction_id)
            attempts.end(slot)
            self._send(ending)
        self._free_slots.append(slot)
        del self._tasks[number]

    def _send(self, message: ToWorker) -> None:
        # One write per turn of the loop: a burst of endings costs one system call, not one each.
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(message)

    def _flush(self) -> None:
        messages, self._outgoing = self._outgoing, []
        self._replica.channel.send(*messages)


async def _called(step: Callable[[], Awaitable[None] | None]) -> None:
    pending = step()
    if pending is not None:
        await pending
