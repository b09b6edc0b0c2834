"""A terminal that a test holds in its hands: it reads what a command draws."""

import os
import pty
import re
import sys
from types import TracebackType
from typing import Self

# Python, with standard input as the terminal of the new session that it leads; the arguments follow.
IN_FOREGROUND = [
    sys.executable,
    "-c",
    """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
""",
]


class Terminal:
    """`theirs` goes to a command as its standard output or error; `hand_over` once the command has it."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self._handed_over = False
        self._drawn = b""

    def hand_over(self) -> None:
        """Let the commands that were given it be the only ones who draw."""
        os.close(self.theirs)
        self._handed_over = True

    def close(self) -> None:
        """Go away, as the terminal of a connection that is cut."""
        os.close(self._ours)
        self._ours = -1

    def press(self, keys: str) -> None:
        """Type these keys."""
        os.write(self._ours, keys.encode())

    def read_until(self, pattern: str) -> str:
        """All that was drawn so far, as soon as a regular expression is found in it."""
        while not re.search(pattern, self._text()):
            assert self._read(), f"It ended before {pattern!r} was drawn: {self._text()!r}"
        return self._text()

    def read_to_the_end(self) -> str:
        """All that was drawn, once nobody can draw any more."""
        while self._read():
            pass
        return self._text()

    def _read(self) -> bool:
        try:
            more = os.read(self._ours, 4096)
        except OSError:  # how a terminal says that its other end is closed
            return False
        self._drawn += more
        return bool(more)

    def _text(self) -> str:
        return self._drawn.decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._handed_over:
            self.hand_over()
        if self._ours >= 0:
            self.close()
