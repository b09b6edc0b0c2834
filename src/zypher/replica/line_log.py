"""The streams that stand in for sys.stdout and sys.stderr."""

import io
import os
import threading
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from zypher.telemetry.formats import current_prediction_id, shown_of

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LONGEST_LINE_BYTES = 65_536  # that is printed in parts

_numbers = count(1)

Print = Callable[[str, str | None], None]  # a line, and the id of its prediction


class _Writer(NamedTuple):
    """Who writes a line; those of two do not mix."""

    descriptor: int  # of the stream
    thread: int
    prediction_id: str | None


class Prints:
    """Makes lines of what is printed. Takes no locks, so that a signal handler or a forked process may print.

    A line has the id of the prediction that ran when it began. Of one that is drawn again and again, such as a
    progress bar, the last state is kept. Blank lines are left out.
    """

    def __init__(self, show: Print) -> None:
        self._show = show
        self._begun: dict[_Writer, bytes] = {}  # lines without an end; each step is one that the GIL does not divide
        self._pid = os.getpid()
        self._thread = _Thread(self._end_thread)

    def write(self, descriptor: int, text: bytes) -> None:
        """Print the lines that end here; what is behind the last one waits for its end."""
        writer = self._writer(descriptor)
        *lines, rest = (self._begun.pop(writer, b"") + text).split(b"\n")
        for line in lines:
            self._print(line, writer)
        if len(rest) > _LONGEST_LINE_BYTES:
            self._print(rest, writer)
        elif rest:
            self._begun[writer] = rest + self._begun.pop(writer, b"")  # a signal handler's

    def flush(self, descriptor: int) -> None:
        """Print a line of this thread that has no end, unless it is one that is drawn again and again."""
        writer = self._writer(descriptor)
        if b"\r" not in self._begun.get(writer, b""):
            self._end(writer)

    def end_prediction(self, prediction_id: str | None) -> None:
        """Print its lines that have no end; without an id, those of no prediction or of a batch."""
        for writer in list(self._begun):
            if writer.prediction_id == prediction_id:
                self._end(writer)

    def end(self) -> None:
        """Print every line that has no end."""
        for writer in list(self._begun):
            self._end(writer)

    def forget(self) -> None:
        """Leave the lines that have no end to the process that this one was forked off."""
        self._begun.clear()
        self._pid = os.getpid()

    def _writer(self, descriptor: int) -> _Writer:
        return _Writer(descriptor, self._thread.number, current_prediction_id.get())

    def _end_thread(self, number: int) -> None:
        if os.getpid() == self._pid:  # in a forked process, all threads but one have ended
            for writer in list(self._begun):
                if writer.thread == number:
                    self._end(writer)

    def _end(self, writer: _Writer) -> None:
        self._print(self._begun.pop(writer, b""), writer)

    def _print(self, line: bytes, writer: _Writer) -> None:
        shown = shown_of(line)
        if shown.strip():
            self._show(shown, writer.prediction_id)


class LineLog(io.TextIOWrapper):
    """A stream to stand in for sys.stdout or sys.stderr. Closing it changes nothing."""

    def __init__(self, prints: Prints, descriptor: int, name: str) -> None:
        """`descriptor` is for those who write below Python."""
        lines = _Lines(prints, descriptor, name)
        super().__init__(lines, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)

    @property
    def mode(self) -> str:
        return "w"


class _Lines(io.BufferedIOBase):
    mode = "wb"

    def __init__(self, prints: Prints, descriptor: int, name: str) -> None:
        self.name = name
        self.raw = _Raw(self)
        self._prints = prints
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: "ReadableBuffer", /) -> int:
        written = bytes(memoryview(data))
        self._prints.write(self._descriptor, written)
        return len(written)

    def flush(self) -> None:
        self._prints.flush(self._descriptor)

    def close(self) -> None:
        self.flush()


class _Raw(io.RawIOBase):
    """What is written here goes the same way, so that it stays in order."""

    mode = "wb"

    def __init__(self, lines: _Lines) -> None:
        self.name = lines.name
        self._lines = lines

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._lines.fileno()

    def write(self, data: "ReadableBuffer", /) -> int:
        return self._lines.write(data)

    def flush(self) -> None:
        self._lines.flush()

    def close(self) -> None:
        self.flush()


class _Life:
    """Ends with the thread that has it."""

    def __init__(self, number: int, ended: Callable[[int], None]) -> None:
        self._number = number
        self._ended = ended

    def __del__(self) -> None:
        self._ended(self._number)


class _Thread(threading.local):
    """The thread that looks at it."""

    def __init__(self, ended: Callable[[int], None]) -> None:
        """`ended` is called with the number of a thread as it ends."""
        self.number = next(_numbers)  # not the system's, which the next thread may have again
        self._life = _Life(self.number, ended)
