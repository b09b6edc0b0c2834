"""What the model prints and logs in this process: lines that its worker adds to the log."""

import io
import logging
import os
import sys
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from zypher.settings import LogSettings
from zypher.telemetry.formats import current_prediction_id, formatter, print_record, shown_of
from zypher.telemetry.log_writer import write_whole
from zypher.worker.protocol import FINISHED

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LONGEST_HELD_BYTES = 8_192


def log_to_worker(log: LogSettings) -> None:
    """Write prints, records and warnings to the worker, each once, with the id of the prediction that runs.

    Logging stays as a script finds it, without a handler: records go to the worker only until the model sets handlers
    of its own, whose output does. Prints are no records, which the model's settings of logging would drop.
    """
    lines = WorkerLines(log)
    # Also those under dunder names: without them, a stream that the model replaces would be closed.
    sys.stdout = sys.__stdout__ = LineLog(lines, 1)
    sys.stderr = sys.__stderr__ = LineLog(lines, 2)
    logging.lastResort = _Handler(lines)
    logging.lastResort.setLevel(log.level.upper())
    logging.getLogger().setLevel(log.level.upper())
    logging.getLogger("asyncio").setLevel(logging.WARNING)  # its debug records are noise
    warnings.showwarning = _show_warning


class WorkerLines:
    """The way to the worker. Never raises, and needs neither locks nor threads, which a fork would break."""

    def __init__(self, log: LogSettings) -> None:
        self._formatter = formatter(log.format)
        self._descriptor = os.dup(2)  # our own: the model may close or replace its

    def print(self, text: str, prediction_id: str | None) -> None:
        """A line that the model printed."""
        self.write(print_record(text, prediction_id))

    def write(self, record: logging.LogRecord) -> None:
        """A record; it may have several lines."""
        text = self._formatter.format(record)
        marked = FINISHED + text.encode(errors="backslashreplace").replace(b"\n", b"\n" + FINISHED) + b"\n"
        with suppress(OSError):  # the worker is gone, or the model closed what is not its own
            write_whole(self._descriptor, marked)


class _Handler(logging.Handler):
    def __init__(self, lines: WorkerLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.write(record)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """As a record of the level that a warning has, whatever the model set for logging."""
    text = warnings.formatwarning(message, category, filename, lineno, line)
    if file is not None:
        file.write(text)
    elif logging.lastResort is not None and logging.lastResort.level <= logging.WARNING:
        record = logging.LogRecord("py.warnings", logging.WARNING, filename, lineno, text, None, None)
        logging.lastResort.handle(record)


class LineLog(io.TextIOWrapper):
    """A stream to stand in for sys.stdout or sys.stderr: each line written to it goes to the worker.

    A line has the id of the prediction that ran when it began. Threads do not mix their lines. Of a line that is drawn
    again and again, such as a progress bar, the last state is kept. Blank lines are left out. Closing it changes
    nothing.
    """

    def __init__(self, lines: WorkerLines, descriptor: int) -> None:
        """`descriptor` is for those who write below Python."""
        bytes_written = _Lines(lines, descriptor)
        super().__init__(bytes_written, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)


class _Held(threading.local):
    """The beginning of each thread's line."""

    text = b""
    prediction_id: str | None = None


class _Lines(io.BufferedIOBase):
    name = "<log>"

    def __init__(self, lines: WorkerLines, descriptor: int) -> None:
        self._lines = lines
        self._descriptor = descriptor
        self._held = _Held()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: "ReadableBuffer", /) -> int:
        written = bytes(data)
        if self._held.prediction_id != current_prediction_id.get():
            self._print_held()
        *lines, rest = (self._held.text + written).split(b"\n")
        for line in lines:
            self._print(line)
        self._held.text = rest
        if len(rest) > _LONGEST_HELD_BYTES:
            self._print_held()
        return len(written)

    def flush(self) -> None:
        if b"\r" not in self._held.text:
            self._print_held()

    def close(self) -> None:
        self._print_held()

    def _print_held(self) -> None:
        text, self._held.text = self._held.text, b""
        self._print(text)
        self._held.prediction_id = current_prediction_id.get()

    def _print(self, line: bytes) -> None:
        shown = shown_of(line)
        if shown.strip():
            self._lines.print(shown, self._held.prediction_id)
