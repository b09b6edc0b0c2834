"""The attempts that run in this replica: threads for `def`, tasks for `async def`."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from zypher.errors import InvalidInput, OutputError
from zypher.models.model import LoadedModel
from zypher.prediction import FailureKind
from zypher.telemetry.formats import current_prediction_id
from zypher.worker.messages import Failed, Run, Succeeded

_LONGEST_MESSAGE = 2_000  # characters of an exception that a caller is shown


class Attempts:
    """Runs the model. `tell` is called with the ending of each attempt, on the event loop."""

    def __init__(self, model: LoadedModel, slots: int, tell: Callable[[Succeeded | Failed], None]) -> None:
        self._model = model
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        # Grows a thread at a time, when none is idle.
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="slot")

    async def set_up(self) -> None:
        """Set the model up where it will predict: with one slot, setup and predict share a thread."""
        if self._model.is_async:
            pending = self._model.setup()
        else:
            pending = await self._loop.run_in_executor(self._threads, self._model.setup)
        if pending is not None:
            await pending

    def begin(self, run: Run) -> None:
        """Begin an attempt."""
        if self._model.is_async:
            task = self._loop.create_task(self._attempt_async(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._threads.submit(self._attempt_in_thread, run)

    def _attempt_in_thread(self, run: Run) -> None:
        self._loop.call_soon_threadsafe(self._tell, self._attempt(run))

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
            self._tell(_failed(run, error, time.perf_counter() - started))
        else:
            self._tell(Succeeded(run.number, output, time.perf_counter() - started))


def _failed(run: Run, error: BaseException, run_s: float) -> Failed:
    if isinstance(error, InvalidInput):
        return Failed(run.number, FailureKind.INVALID_INPUT, str(error), "", run_s)
    if isinstance(error, OutputError):
        return Failed(run.number, FailureKind.INVALID_OUTPUT, str(error), "", run_s)
    return Failed(run.number, FailureKind.MODEL_ERROR, _sentence(error), _traceback(error), run_s)


def _sentence(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)[:_LONGEST_MESSAGE]
    except Exception:  # the model's own __str__ raises: the type must do
        text = ""
    # What UTF-8 cannot carry must not break the frame.
    return f"{name}: {text}".encode(errors="replace").decode() if text else name


def _traceback(error: BaseException) -> str:
    """The traceback from the user's code on."""
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    try:
        lines = traceback.format_exception(type(error), error, frames)
    except Exception:  # as in _sentence
        return ""
    return "".join(lines).encode(errors="replace").decode()
