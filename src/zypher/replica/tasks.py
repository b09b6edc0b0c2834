"""Runs an `async def` model: attempts are tasks of one event loop, which the channel shares."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvloop

from zypher.replica.runner import Replica, closing, leave_attempts, pong
from zypher.worker.protocol import Loaded, Ping, Run, Stop, ToWorker


class Tasks(ABC):
    """A loop that the model holds up cannot answer its worker either, so the worker finds out.

    How attempts run is a subclass's: `single_tasks.SingleTasks`, or `batches.tasks.BatchTasks`.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._loop = self._runner.get_loop()
        self._worker_gone = False
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
        leave_attempts(self._replica.prints, running=self._running)
        with closing():
            loop.run_until_complete(_called(model.close))

    def close(self) -> None:
        """As `Runner.close`: cancels what tasks there are, as `asyncio.run` does."""
        self._runner.close()

    @property
    @abstractmethod
    def _running(self) -> bool:
        """Whether an attempt has begun and not ended."""

    @abstractmethod
    def _begin(self, runs: list[Run]) -> None:
        """Run these attempts."""

    @abstractmethod
    def _stop(self, stop: Stop) -> None:
        """Drop one that has not begun; or cancel its task."""

    def _receive(self) -> None:
        messages = self._replica.channel.receive(wait=False)
        if messages is None:
            self._loop.remove_reader(self._replica.channel.fileno())
            self._worker_gone = True
            self._loop.stop()
            return
        runs: list[Run] = []
        for message in messages:
            match message:
                case Run():
                    runs.append(message)
                case Stop():
                    self._begin(runs)
                    runs = []
                    self._stop(message)
                case Ping():
                    self._send(pong())
                case _:
                    raise AssertionError(message)
        self._begin(runs)

    def _send(self, *messages: ToWorker) -> None:
        # One write per turn of the loop: a burst of endings costs one system call, not one each.
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing += messages

    def _flush(self) -> None:
        messages, self._outgoing = self._outgoing, []
        self._replica.channel.send(*messages)


async def _called(step: Callable[[], Awaitable[None] | None]) -> None:
    pending = step()
    if pending is not None:
        await pending
