"""The path of a unix socket, however deep its folder is."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_BYTES = 107  # that the system takes (unix(7))


@contextmanager
def short_path(path: Path) -> Generator[str]:
    """The same file by a path that fits, while the block lasts; on Linux. Raises `OSError`."""
    if len(os.fsencode(path)) <= _LONGEST_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
