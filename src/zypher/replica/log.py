"""What the model prints and logs in this process: lines that its worker adds to the log."""

import atexit
import logging
import os
import sys
import warnings
from typing import TextIO

from zypher.replica.line_log import LineLog, Prints
from zypher.settings import LogSettings
from zypher.telemetry.formats import formatter, print_record
from zypher.telemetry.log_writer import write_whole
from zypher.worker.log_lines import LONGEST_RECORD_BYTES, pieces


def log_to_worker(log: LogSettings, mark: bytes) -> Prints:
    """Write prints, records and warnings to the worker, each once, with the id of the prediction that runs.

    Logging stays as a script finds it, without a handler: records go to the worker only until the model sets handlers
    of its own, whose output does. Prints are no records, which the model's settings of logging would drop.
    """
    lines = WorkerLines(log, mark)
    prints = Prints(lines.print)
    atexit.register(prints.end)  # the first, so that what others print at the end is in it
    os.register_at_fork(after_in_child=prints.forget)
    # Also those under dunder names: without them, a stream that the model replaces would be closed.
    sys.stdout = sys.__stdout__ = LineLog(prints, 1, "<stdout>")
    sys.stderr = sys.__stderr__ = LineLog(prints, 2, "<stderr>")
    logging.lastResort = _Handler(lines)
    logging.lastResort.setLevel(log.level.upper())
    logging.getLogger().setLevel(log.level.upper())
    logging.getLogger("asyncio").setLevel(logging.WARNING)  # its debug records are noise
    warnings.showwarning = _show_warning
    return prints


class WorkerLines:
    """The way to the worker. Never raises, and needs neither locks nor threads, which a fork would break."""

    def __init__(self, log: LogSettings, mark: bytes) -> None:
        self._formatter = formatter(log.format)
        self._mark = mark
        self._descriptor = os.dup(2)  # our own: the model may close or replace its

    def print(self, text: str, prediction_id: str | None) -> None:
        """A line that the model printed."""
        self.write(print_record(text, prediction_id))

    def write(self, record: logging.LogRecord) -> None:
        """A record; it may have several lines."""
        shown = self._formatter.format(record)
        if len(shown) > LONGEST_RECORD_BYTES:
            shown = self._formatter.shortened(record)
        for piece in pieces(self._mark, shown):
            # Nothing is written once the worker is gone, or the model closed what is not its own.
            write_whole(self._descriptor, piece)


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
