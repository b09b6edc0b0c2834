"""What a replica, and the processes that it starts, write to standard output and standard error."""

import asyncio
import os
from collections.abc import Callable

from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.formats import formatter, print_record, shown_of
from zypher.telemetry.logs import write_lines
from zypher.text import printable
from zypher.worker.protocol import FINISHED

_MOST_READ_BYTES = 2_048  # at once: formatting that many short lines holds the event loop for some milliseconds
_LONGEST_LINE_BYTES = 8_192  # that the replica has not formatted
_LONGEST_BYTES = 1_048_576
_MOST_LEFT_BYTES = 1_048_576  # that are read of a pipe whose replica has ended


class ReplicaLog:
    """Adds lines to the log as they come: the model waits for its worker at most, never for who reads the log.

    Lines that the replica has formatted stay as they are; all others were written below Python, or by processes that
    the model started.
    """

    def __init__(self, log: LogSettings, prediction_id: Callable[[], str | None]) -> None:
        """`prediction_id` is the one that runs in the replica, None if that is none or several."""
        self._human = log.format is LogFormat.HUMAN
        self._formatter = formatter(log.format)
        self._prediction_id = prediction_id
        self._descriptor = -1
        self._rest = b""

    def open(self) -> int:
        """Begin; the descriptor is the replica's, for the caller to close."""
        self._descriptor, theirs = os.pipe()
        os.set_blocking(self._descriptor, False)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        return theirs

    def close(self) -> None:
        """Add what was written so far, and nothing more."""
        left = _MOST_LEFT_BYTES
        while self._descriptor >= 0 and left > 0 and (size := self._read()) > 0:
            left -= size
        self._stop()

    def _read(self) -> int:
        try:
            data = os.read(self._descriptor, _MOST_READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            self._stop()
        self._add(data)
        return len(data)

    def _stop(self) -> None:
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
            self._add(b"\n" if self._rest else b"")

    def _add(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        if len(rest) > (_LONGEST_BYTES if rest.startswith(FINISHED) else _LONGEST_LINE_BYTES):
            lines.append(rest)
            rest = b""
        self._rest = rest
        shown = "".join([each + "\n" for line in lines for each in self._shown(line)])
        if shown:
            write_lines(shown)

    def _shown(self, line: bytes) -> list[str]:
        """A line may be none, or behind one that has no end yet."""
        printed, _, finished = line.partition(FINISHED)
        shown: list[str] = []
        text = shown_of(printed)
        if text.strip():
            shown.append(self._formatter.format(print_record(text, self._prediction_id())))
        if finished:
            record = finished.decode(errors="backslashreplace")
            shown.append(printable(record) if self._human else record)
        return shown
