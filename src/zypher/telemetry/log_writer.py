"""Writes the log in a thread of its own."""

import atexit
import os
import sys
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from select import POLLOUT, poll  # by name, as all that a model may replace in its module

_MOST_BYTES = 4_194_304  # that wait for a slow reader
_MOST_AT_ONCE_BYTES = 65_536  # of one write
_IDLE_S = 1.0  # after which the thread ends
_FLUSH_S = 1.0  # that a process waits at its end


def write_whole(descriptor: int, text: bytes) -> int:
    """Write all of it, also where another program has set the pipe or terminal to non-blocking.

    Returns how many bytes were written: fewer if the disk is full, none if the reader is gone. Raises nothing.
    """
    rest = memoryview(text)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            writable = poll()
            writable.register(descriptor, POLLOUT)
            writable.poll()
        except OSError:
            break
    return len(text) - len(rest)


class LogWriter:
    """A write never waits for the reader of the log: lines without room are dropped and counted.

    So are those whose reader is gone, or whose disk is full: neither is an error here.
    """

    def __init__(self, descriptor: int | None) -> None:
        """None for a log that is not written at all."""
        self.dropped = 0  # lines
        self._descriptor = descriptor
        self._cut = False  # whether what was written ends within a line
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._queue: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._flushes_at_exit = False

    def write(self, lines: bytes) -> None:
        """Write whole lines, each with its end, behind all others. Never raises; safe in any thread."""
        if self._descriptor is None:
            return
        with self._lock:
            if self._waiting_bytes + len(lines) > _MOST_BYTES:
                self.dropped += lines.count(b"\n")
                return
            self._waiting_bytes += len(lines)
            self._put(lines)

    def count_dropped(self, lines: int) -> None:
        """Count lines that were dropped before they came here; safe in any thread."""
        with self._lock:
            self.dropped += lines

    def flush(self) -> None:
        """Wait for the reader, a second at most, until all is written that was given so far."""
        written = threading.Event()
        with self._lock:
            if self._thread is None and self._queue.empty():
                return
            self._put(written)
        written.wait(_FLUSH_S)

    def _put(self, item: bytes | threading.Event) -> None:
        self._queue.put(item)
        if self._thread is not None and self._thread.is_alive():
            return
        if not self._flushes_at_exit:
            self._flushes_at_exit = True
            atexit.register(self.flush)
        # A daemon: the process must end even if the log is never read.
        self._thread = threading.Thread(target=self._run, name="zypher-log", daemon=True)
        with suppress(RuntimeError):  # the process may have no more threads: the next write tries again
            self._thread.start()

    def _run(self) -> None:
        while (gathered := self._gather()) is not None:
            lines, written = gathered
            dropped = self._write(b"".join(lines))
            with self._lock:
                self._waiting_bytes -= sum(map(len, lines))
                self.dropped += dropped
            if written is not None:
                written.set()

    def _gather(self) -> tuple[list[bytes], threading.Event | None] | None:
        """What waits, and who waits behind it; None once nothing has come for a while."""
        try:
            item = self._queue.get(timeout=_IDLE_S)
        except Empty:
            with self._lock:
                if self._queue.empty():
                    self._thread = None
                    return None
            item = self._queue.get()
        lines: list[bytes] = []
        size_bytes = 0
        while not isinstance(item, threading.Event):
            lines.append(item)
            size_bytes += len(item)
            if size_bytes >= _MOST_AT_ONCE_BYTES:
                return lines, None
            try:
                item = self._queue.get_nowait()
            except Empty:
                return lines, None
        return lines, item

    def _write(self, lines: bytes) -> int:
        """How many lines cannot be written; one that is written in part is ended in front of the next."""
        assert self._descriptor is not None
        begin = b"\n" if self._cut else b""
        written = write_whole(self._descriptor, begin + lines) - len(begin)
        if written >= 0:
            self._cut = not lines.endswith(b"\n", 0, written) if written else False
        return lines.count(b"\n", max(0, written))


# Where standard error was closed from the start, its descriptor may be anybody's.
standard_error = LogWriter(None if sys.__stderr__ is None else 2)
