"""The log: where records go, and a model's prints among them."""

import io
import logging
import sys
import threading
from typing import TYPE_CHECKING, TextIO, cast

from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.formats import HumanFormatter, JsonFormatter, current_prediction_id

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LONGEST_HELD_BYTES = 8_192


def configure(log: LogSettings) -> None:
    """Write this process's records, and its warnings, to the standard error of this moment.

    May happen twice; the last one counts. Afterwards logging never prints an error of its own.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if chosen_format(log) is LogFormat.JSON else HumanFormatter())
    logging.basicConfig(handlers=[handler], level=log.level.upper(), force=True)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False
    logging.getLogger("asyncio").setLevel(logging.WARNING)  # its debug records are noise


def write_lines(lines: str) -> None:
    """Write whole lines where records go, between two of them."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            stream = cast("logging.StreamHandler[TextIO]", handler)
            stream.acquire()
            try:
                stream.stream.write(lines)
                stream.flush()
            except (OSError, ValueError):  # the reader of the log closed it
                return
            finally:
                stream.release()


def chosen_format(log: LogSettings) -> LogFormat:
    """`human` or `json`: what `auto` means for this process's standard error."""
    if log.format is not LogFormat.AUTO:
        return log.format
    return LogFormat.HUMAN if sys.stderr.isatty() else LogFormat.JSON


class LineLog(io.TextIOWrapper):
    """A stream to stand in for sys.stdout or sys.stderr: each line written to it becomes a record.

    Configure the log first: its handler keeps the real stream. A record has the id of the
    prediction that ran when its line began. Threads do not mix their lines. Of a line that is drawn again
    and again, such as a progress bar, the last state is kept. Blank lines are left out.
    """

    def __init__(self, logger: logging.Logger, level: int) -> None:
        lines = _Lines(logger, level)
        super().__init__(lines, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)


class _Held(threading.local):
    """The beginning of each thread's line."""

    text = b""
    prediction_id: str | None = None


class _Lines(io.BufferedIOBase):
    name = "<log>"

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self._logger = logger
        self._level = level
        self._held = _Held()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The standard error's, for those who write below Python."""
        return 2

    def write(self, data: "ReadableBuffer", /) -> int:
        written = bytes(data)
        if self._held.prediction_id != current_prediction_id.get():
            self._log_held()
        *lines, rest = (self._held.text + written).split(b"\n")
        for line in lines:
            self._log(line)
        self._held.text = rest
        if len(rest) > _LONGEST_HELD_BYTES:
            self._log_held()
        return len(written)

    def flush(self) -> None:
        if b"\r" not in self._held.text:
            self._log_held()

    def _log_held(self) -> None:
        text, self._held.text = self._held.text, b""
        self._log(text)
        self._held.prediction_id = current_prediction_id.get()

    def _log(self, line: bytes) -> None:
        shown = line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="backslashreplace")
        if shown.strip():
            self._logger.log(self._level, shown, extra={"prediction_id": self._held.prediction_id})
