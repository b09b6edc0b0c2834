"""What a replica, and the processes that it starts, write to standard output and standard error."""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Sequence

import msgspec

from zypher.clock import Clock, Timer
from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.formats import formatter, shown_of
from zypher.telemetry.logs import count_dropped, write_lines
from zypher.text import printable
from zypher.worker.log_budget import LogBudget
from zypher.worker.log_lines import Kind, Line, LogLines, new_mark

_MOST_READ_BYTES = 512  # at once: that many short lines hold the event loop for a fraction of a millisecond
_MOST_SKIPPED_BYTES = 65_536  # at once, while a budget is spent
_SKIP_AGAIN_S = 0.02
_MOST_DRAINED_BYTES = 65_536  # what a pipe holds
_MOST_LEFT_BYTES = 1_048_576  # that are read of a pipe whose replica has ended
_CUT = " … the rest of this record is missing"

_HUMAN_RECORD = re.compile(r"\d\d:\d\d:\d\d .*(\n    .*)*")
_FIELDS = {"ts", "level", "message", "logger"}
_json_fields = msgspec.json.Decoder(dict[str, str | int | float | bool | None])


class ReplicaLog:
    """Adds lines to the log as they come: the model waits for its worker at most, never for who reads the log.

    Records that the replica has formatted stay as they are; all else is text, written below Python or by processes
    that the model started. What is more than a budget is left out and counted; each of the two has its own, so that a
    flood of text hides no record.
    """

    def __init__(self, log: LogSettings, prediction_id: Callable[[], str | None], clock: Clock) -> None:
        """`prediction_id` is the one that runs in the replica, None if that is none or several."""
        self.mark = new_mark()  # of the replica's records
        self._record = _human_record if log.format is LogFormat.HUMAN else _json_record
        self._formatter = formatter(log.format)
        self._prediction_id = prediction_id
        self._clock = clock
        self._texts = LogBudget(clock)
        self._records = LogBudget(clock)
        self._left_out = 0  # lines
        self._lines = LogLines(self.mark)
        self._descriptor = -1
        self._pause: Timer | None = None  # while a budget is spent

    def open(self) -> int:
        """Begin; the descriptor is the replica's, for the caller to close."""
        self._descriptor, theirs = os.pipe()
        os.set_blocking(self._descriptor, False)
        self._watch()
        return theirs

    def drain(self) -> None:
        """Add what was written so far, as long as it is known which prediction runs, even a line without an end."""
        if self._drained(_MOST_DRAINED_BYTES):
            self._write(self._lines.flush())

    def close(self) -> None:
        """Add what was written so far, and nothing more."""
        self._drained(_MOST_LEFT_BYTES)
        self._stop()

    def _drained(self, most_bytes: int) -> bool:
        """Read until nothing is there now; whether that was reached."""
        left = most_bytes
        while self._descriptor >= 0 and left > 0:
            size = self._read()
            if size == 0:
                return True
            left -= size
        return False

    def _watch(self) -> None:
        self._pause = None
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    @property
    def _spent(self) -> bool:
        return self._texts.spent or self._records.spent

    def _pause_again(self) -> None:
        self._pause = self._clock.call_later(_SKIP_AGAIN_S, self._skip_or_watch)

    def _skip_or_watch(self) -> None:
        if self._texts.resumes() & self._records.resumes():
            self._say_left_out()
            self._watch()
            return
        self._read()
        if self._descriptor >= 0:
            self._pause_again()

    def _read(self) -> int:
        """How many bytes were there; 0 also at the end, where it stops."""
        try:
            data = os.read(self._descriptor, _MOST_SKIPPED_BYTES if self._spent else _MOST_READ_BYTES)
        except BlockingIOError:
            return 0
        if data:
            self._add(data)
        else:
            self._stop()
        return len(data)

    def _add(self, data: bytes) -> None:
        lines = self._lines.skip(data) if self._texts.spent else self._lines.add(data)
        texts = [line for line in lines if line[0] is Kind.TEXT]
        if self._records.spent:
            self._left_out += len(lines) - len(texts)
            lines = texts
        sizes = _size(texts), _size(lines)
        self._texts.use(len(texts), sizes[0])
        self._records.use(len(lines) - len(texts), sizes[1] - sizes[0])
        self._write(lines)
        if self._spent and self._pause is None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._pause_again()

    def _stop(self) -> None:
        if self._descriptor < 0:
            return
        asyncio.get_running_loop().remove_reader(self._descriptor)
        if self._pause is not None:
            self._pause.cancel()
        os.close(self._descriptor)
        self._descriptor = -1
        self._write(self._lines.end())
        self._say_left_out()

    def _say_left_out(self) -> None:
        left_out = self._left_out + self._lines.left_out
        self._left_out = self._lines.left_out = 0
        if left_out:
            count_dropped(left_out)
            # Not by a logger: it stands where the lines would, at every level.
            text = f"… {left_out:,} lines left out"
            record = logging.LogRecord(__name__, logging.WARNING, "", 0, text, None, None)
            write_lines(self._formatter.format(record) + "\n")

    def _write(self, lines: Sequence[Line]) -> None:
        show: Callable[[str], str] | None = None
        shown: list[str] = []
        for kind, line in lines:
            if kind is Kind.RECORD and (record := self._record(line)) is not None:
                shown.append(record)
                continue
            for text in _texts(kind, line):
                if show is None:
                    show = self._formatter.prints(self._prediction_id())
                shown.append(show(text))
        if shown:
            write_lines("\n".join(shown) + "\n")


def _size(lines: Sequence[Line]) -> int:
    return sum([len(line) for _, line in lines])


def _texts(kind: Kind, line: bytes) -> list[str]:
    """Lines that are not blank; a record that is broken has the lines of a text."""
    texts = [text for each in line.split(b"\n") if (text := shown_of(each)).strip()]
    return [*texts[:-1], texts[-1] + _CUT] if texts and kind is Kind.CUT else texts


def _json_record(line: bytes) -> str | None:
    """The line if it is a JSON object in printable ASCII, such as the replica writes."""
    try:
        fields, record = _json_fields.decode(line), line.decode("ascii")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return record if fields.keys() >= _FIELDS and record.isprintable() else None


def _human_record(record: bytes) -> str | None:
    """The lines if they have a time and what follows is indented, and are printable."""
    text = record.decode(errors="backslashreplace")
    return text if _HUMAN_RECORD.fullmatch(text) and printable(text) == text else None
