"""How many bytes the data may take up, and who may have those that are left."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from zypher.engines.embedded import store
from zypher.engines.embedded.asks import Accept, End

MIB = 1024 * 1024
_MOST = 10 * 1024 * MIB
_LEAST = 64 * MIB  # on a disk without room, which says so itself
_MOST_WAL = 64 * MIB
_ROW_BYTES = 512  # about what a prediction takes besides its input, and an outcome besides its output
_MOST_PURGED = 64  # at once
_COUNTS = 64  # how often the bytes are counted while the limit is used up once


def default_limit_bytes(folder: Path) -> int:
    """10 GiB, or half of what is free if that is less; what the folder holds already counts as free."""
    system = os.statvfs(folder)
    own = sum(file.stat().st_blocks * 512 for file in folder.iterdir())
    return min(_MOST, max(_LEAST, (system.f_bavail * system.f_frsize + own) // 2))


class Space:
    """What the data file holds, as the thread that writes it reckons; no other one calls its methods.

    Submissions may use four fifths of the limit, the rest is for the outcomes of what was accepted. Where there is no
    room, results that were read are deleted, those that ended first first. Pages that are free do not count: what
    comes next uses them.
    """

    def __init__(self, connection: sqlite3.Connection, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.wal_bytes = min(_MOST_WAL, limit_bytes // 16)  # of the log in front of the file; part of the limit
        self.short = False  # whether it is time to note what was read; any thread may look
        self._connection = connection
        self._for_outcomes = limit_bytes - self.wal_bytes
        self._for_submits = limit_bytes * 4 // 5 - self.wal_bytes
        self._counted = 0
        self._reckoned = 0  # taken since they were counted
        self._promised = 0  # taken in this transaction, and perhaps not written yet
        self.begin()

    @property
    def fullness(self) -> str:
        """Why there is no room, a sentence without its end."""
        return f"Predictions and results take up the {self.limit_bytes / MIB:.6g} MiB that they may (max_data_mb)"

    def begin(self) -> None:
        """Begin a transaction: what was promised in the last one is written, or never will be."""
        self._reckoned += self._promised
        self._promised = 0
        if self._reckoned * _COUNTS >= self.limit_bytes or not self._counted:
            self._count()

    def forget(self) -> None:
        """Count anew when the next transaction begins: this one was undone."""
        self._counted = self._promised = 0

    def take_inputs(self, accepts: Sequence[Accept]) -> list[bool]:
        """For each prediction whether there is room for it, which is then its."""
        return self._take_each([len(accept.message.input) + _ROW_BYTES for accept in accepts], self._for_submits)

    def take_outcomes(self, ends: Sequence[End]) -> list[bool]:
        """For each outcome whether there is room for it, which is then its."""
        return self._take_each([len(end.outcome.output or b"") + _ROW_BYTES for end in ends], self._for_outcomes)

    def _take_each(self, sizes_bytes: Sequence[int], most_bytes: int) -> list[bool]:
        all_bytes = sum(sizes_bytes)
        if self._fits(all_bytes, most_bytes):
            self._promised += all_bytes
            return [True] * len(sizes_bytes)
        return [self._take(size_bytes, most_bytes) for size_bytes in sizes_bytes]

    def _take(self, size_bytes: int, most_bytes: int) -> bool:
        if not self._fits(size_bytes, most_bytes):
            self._count()
            number = 1
            while not self._fits(size_bytes, most_bytes) and store.purge_read(self._connection, number):
                self._count()
                number = min(_MOST_PURGED, 2 * number)
        fits = self._fits(size_bytes, most_bytes)
        if fits:
            self._promised += size_bytes
        return fits

    def _fits(self, size_bytes: int, most_bytes: int) -> bool:
        return self._counted + self._reckoned + self._promised + size_bytes <= most_bytes

    def _count(self) -> None:
        pages, free, page_bytes = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        self._counted = (pages - free) * page_bytes
        self._reckoned = 0
        self.short = 2 * self._counted > self._for_submits
