"""The journal of `--engine memory`: it keeps predictions and results as long as the process runs."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from zypher.clock import Clock
from zypher.engines.embedded.journal import (
    Accept,
    End,
    FindEvents,
    FindList,
    FindResult,
    FindStanding,
    Forget,
    ForgetCard,
    KeepCard,
    Mark,
    MarkRead,
    Pause,
    Probe,
    Publish,
    Purge,
    Read,
    Recovered,
    Replay,
    SetClock,
    Write,
)
from zypher.engines.embedded.memory.records import Records
from zypher.engines.embedded.recovery import Recovery
from zypher.engines.embedded.size_limit import MIB, SizeLimit
from zypher.engines.refusals import stopping

_LIMIT_BYTES = 256 * MIB

Result = TypeVar("Result")


class MemoryJournal:
    """The `Journal` that makes no file. Operations are done at once; results are given in a later turn of the loop.

    Marks of attempts, cards, pauses and the clock are ignored: they are for a process that starts after this one.
    """

    def __init__(self, clock: Clock, limit_bytes: int | None = None) -> None:
        """`limit_bytes` bounds predictions and results; None: 256 MiB."""
        self.recovery = Recovery(clock, lambda: self.write(Probe()))
        self.limit_bytes = _LIMIT_BYTES if limit_bytes is None else limit_bytes
        self._records = Records(SizeLimit(self.limit_bytes))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last_row = 0

    @property
    def used_bytes(self) -> int:
        return self._records.used_bytes

    def open(self) -> Recovered:
        self._loop = asyncio.get_running_loop()
        return Recovered()

    async def close(self) -> None:
        if self._loop is None:
            return
        self.recovery.stop()
        self._loop = None
        await asyncio.sleep(0)  # results are given in order: all that were due are given after it

    def new_row(self) -> int:
        self._last_row += 1
        return self._last_row

    def write(self, operation: Write) -> None:
        self._check_open()
        match operation:
            case Mark() | KeepCard() | ForgetCard() | Pause():
                if operation.done is not None:
                    self._give(operation.done, None)
            case MarkRead():
                for prediction_id in operation.prediction_ids:
                    self._records.mark_read(prediction_id)
            case End():
                self._end(operation)
            case SetClock():
                pass
            case Probe():
                self.recovery.update(None)
            case _:
                self._write_records(operation)

    def read(self, operation: Read) -> None:
        self._check_open()
        if isinstance(operation, FindResult):
            self._give(operation.done, self._records.find_result(operation.prediction_id, operation.kept_since_us))
        elif isinstance(operation, FindStanding):
            self._give(operation.accept.done, self._records.find_standing(operation.accept))
        elif isinstance(operation, FindEvents):
            self._give(operation.done, self._records.find_events(operation.prediction_id, operation.after))
        elif isinstance(operation, FindList):
            self._give(operation.done, self._records.find_list(operation))
        else:
            self._give(operation.done, self._records.load_inputs(operation))

    def note_read(self, prediction_id: str) -> None:
        self._records.mark_read(prediction_id)

    def _write_records(self, operation: Accept | Publish | Replay | Forget | Purge) -> None:
        match operation:
            case Accept():
                self._give(operation.done, self._records.accept(operation))
            case Publish():
                self._give(operation.done, self._records.publish(operation))
            case Replay():
                self._records.replay(operation.row, operation.options)
                self._give(operation.done, None)
            case Forget():
                self._records.delete(operation.row)
                self._give(operation.done, None)
            case Purge():
                self._give(operation.done, self._records.purge(operation.kept_since_us, operation.limit))

    def _end(self, operation: End) -> None:
        no_room = self._records.end(operation)
        self.recovery.update(None if no_room is None else str(no_room))
        self._give(operation.done, no_room)

    def _give(self, done: Callable[[Result], None], result: Result) -> None:
        self._check_open().call_soon(done, result)

    def _check_open(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise stopping()
        return self._loop
