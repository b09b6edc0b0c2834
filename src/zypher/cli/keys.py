"""Keys that are pressed while something is drawn on a terminal."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def key_pressed(key: str) -> Generator[asyncio.Event]:
    """Set once the key is pressed, without Enter; never without a keyboard."""
    pressed = asyncio.Event()
    if not _has_keyboard():
        yield pressed
        return
    descriptor = sys.stdin.fileno()

    def read() -> None:
        keys = os.read(descriptor, 1024)
        if key.encode() in keys.lower() or not keys:
            pressed.set()

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    asyncio.get_running_loop().add_reader(descriptor, read)
    try:
        yield pressed
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _has_keyboard() -> bool:
    """Whether standard input is a terminal, and this process in its foreground."""
    try:
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError, ValueError):  # it is closed, or the terminal of other processes
        return False
