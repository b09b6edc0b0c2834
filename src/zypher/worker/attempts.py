"""The attempts that run in this replica: threads for `def`, tasks for `async def`."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from zypher.errors import InvalidInput, OutputError, TargetError
from zypher.models.model import LoadedModel
from zypher.models.user_error import headline, user_traceback
from zypher.prediction import FailureKind
from zypher.telemetry.formats import current_prediction_id
from zypher.worker.messages import Failed, Run, Succeeded

logger = logging.getLogger(__name__)


class Attempts:
    """Runs the model. `tell` is called with the ending of each attempt, on the event loop."""

    def __init__(self, model: LoadedModel, slots: int, tell: Callable[[Succeeded | Failed], None]) -> None:
        self._model = model
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._running: dict[int, asyncio.Task[None] | None] = {}  # by number; None for one in a thread
        # Grows a thread at a time, when none is idle.
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="slot")
        self._short_of_threads = False

    async def set_up(self) -> None:
        """Set the model up. Raises `TargetError`."""
        await self._call(self._model.setup)

    async def close(self) -> None:
        """Let the model let go of what it loaded, if nothing runs in it any more."""
        if self._running:
            return
        try:
            await self._call(self._model.close)
        except TargetError as error:
            logger.warning("the model did not close", extra={"reason": str(error), "details": error.details})

    async def _call(self, step: Callable[[], Awaitable[None] | None]) -> None:
        """Call a step of the model where it predicts: with one slot, all of them share a thread."""
        pending = step() if self._model.is_async else await self._loop.run_in_executor(self._threads, step)
        if pending is not None:
            await pending

    def begin_all(self, runs: Iterable[Run]) -> None:
        """Begin these attempts."""
        for run in runs:
            self.begin(run)

    def begin(self, run: Run) -> None:
        """Begin an attempt."""
        if self._model.is_async:
            self._running[run.number] = self._loop.create_task(self._attempt_async(run))
        else:
            self._running[run.number] = None
            self._begin_in_thread(run)

    def _begin_in_thread(self, run: Run) -> None:
        try:
            self._threads.submit(self._attempt_in_thread, run)
        except RuntimeError as error:
            # It is in the pool's queue all the same: one of the threads that there are takes it when it is free.
            if not self._short_of_threads:
                logger.warning("slots share threads; allow this process more of them", extra={"problem": str(error)})
            self._short_of_threads = True

    def _attempt_in_thread(self, run: Run) -> None:
        self._loop.call_soon_threadsafe(self._end, self._attempt(run))

    def _attempt(self, run: Run) -> Succeeded | Failed:
        current_prediction_id.set(run.prediction_id)
        started = time.perf_counter()
        try:
            output = self._model.encode_output(self._model.predict(self._model.decode_input(run.input)))
        except BaseException as error:  # SystemExit and the like end the attempt, not the replica
            return _failed(run, error, time.perf_counter() - started)
        return Succeeded(run.number, output, time.perf_counter() - started)

    async def _attempt_async(self, run: Run) -> None:
        current_prediction_id.set(run.prediction_id)
        started = time.perf_counter()
        try:
            pending = cast(Awaitable[object], self._model.predict(self._model.decode_input(run.input)))
            output = self._model.encode_output(await pending)
        except BaseException as error:
            self._end(_failed(run, error, time.perf_counter() - started))
        else:
            self._end(Succeeded(run.number, output, time.perf_counter() - started))

    def _end(self, ending: Succeeded | Failed) -> None:
        del self._running[ending.number]
        self._tell(ending)


def _failed(run: Run, error: BaseException, run_s: float) -> Failed:
    try:
        return _described(run, error, run_s)
    except BaseException:  # an exception of the model may itself raise when it is read
        return Failed(run.number, FailureKind.MODEL_ERROR, type(error).__name__, "", run_s)


def _described(run: Run, error: BaseException, run_s: float) -> Failed:
    if isinstance(error, InvalidInput):
        return Failed(run.number, FailureKind.INVALID_INPUT, str(error), "", run_s)
    if isinstance(error, OutputError):
        return Failed(run.number, FailureKind.INVALID_OUTPUT, str(error), "", run_s)
    return Failed(run.number, FailureKind.MODEL_ERROR, headline(error), user_traceback(error), run_s)
