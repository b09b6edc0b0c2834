"""Checks that the WAL file is whole: what was committed is in it until it was written into the data file."""

import os
import struct
from pathlib import Path

_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_INDEX = struct.Struct("=HI")  # page size and last frame, from byte 14 of the index
_INDEX_START = 14


class WalCut(Exception):
    """The WAL file has lost its end."""


class Wal:
    """Looks at the file that SQLite has open; only the thread that writes uses it.

    The index of the WAL (walformat.html of SQLite) says how many frames are committed. Its file is held open until
    `close`, after SQLite's own connections: to close it earlier would release their locks.
    """

    def __init__(self, database: Path) -> None:
        self._file = database.with_name(database.name + "-wal")
        self._identity = self._file.stat()
        self._index = os.open(database.with_name(database.name + "-shm"), os.O_RDONLY | os.O_NOFOLLOW)

    def check(self) -> None:
        """Raise `FileNotFoundError` for a file that was removed or replaced, `WalCut` for one that is too short."""
        found = self._file.stat()
        if not os.path.samestat(found, self._identity):
            raise FileNotFoundError
        page_bytes, frames = _INDEX.unpack(os.pread(self._index, _INDEX.size, _INDEX_START))
        page_bytes = page_bytes if page_bytes > 1 else 65_536
        if frames and found.st_size < _HEADER_BYTES + frames * (_FRAME_HEADER_BYTES + page_bytes):
            raise WalCut

    def close(self) -> None:
        os.close(self._index)
