"""How many bytes the data file holds, and what goes first when it may hold no more."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from zypher.engines.embedded.disk import store
from zypher.engines.embedded.journal import Accept, End
from zypher.engines.embedded.size_limit import MIB, SizeLimit
from zypher.engines.event_log import size_bytes
from zypher.prediction import Event

_MOST = 10 * 1024 * MIB
_LEAST = 64 * MIB  # on a disk without room, which raises its own error
_MOST_WAL = 64 * MIB
_ROW_BYTES = 512  # about what a prediction takes besides its input, and an outcome besides its output
_MOST_PURGED = 64  # at once
_MEASUREMENTS = 64  # how often the file is measured while the limit is used up once


def default_limit_bytes(folder: Path) -> int:
    """10 GiB, or half of what is free if that is less; what the folder holds already counts as free."""
    system = os.statvfs(folder)
    own = sum(file.stat().st_blocks * 512 for file in folder.iterdir())
    return min(_MOST, max(_LEAST, (system.f_bavail * system.f_frsize + own) // 2))


class Space:
    """The used bytes of the data file, estimated between two measurements; only the thread that writes calls it.

    Where there is no room, results that were read are deleted, those that ended first first. Free pages do not
    count: later rows use them.
    """

    def __init__(self, connection: sqlite3.Connection, limit: SizeLimit) -> None:
        self.limit = limit
        self.wal_bytes = min(_MOST_WAL, limit.limit_bytes // 16)  # of the WAL file; part of the limit
        self.short = False  # whether it is time to write which results were read; any thread may read it
        self._connection = connection
        self._for_outcomes = limit.limit_bytes - self.wal_bytes
        self._for_submits = limit.submit_bytes - self.wal_bytes
        self._measured = 0
        self._estimated = 0  # written since the measurement
        self._reserved = 0  # taken in this transaction, and perhaps not written yet
        self._outdated = True  # the measurement
        self.begin()

    @property
    def used_bytes(self) -> int:
        """About how much of the limit is used, the part of the WAL file included; any thread may read it."""
        return self.wal_bytes + self._measured + self._estimated + self._reserved

    def begin(self) -> None:
        """Begin a transaction: what was reserved in the last one is written, or never will be."""
        self._estimated += self._reserved
        self._reserved = 0
        if self._outdated or self._estimated * _MEASUREMENTS >= self.limit.limit_bytes:
            self._measure()

    def forget(self) -> None:
        """Measure again when the next transaction begins: this one was undone."""
        self._reserved = 0
        self._outdated = True

    def note_freed(self) -> None:
        """Measure again when the next transaction begins: this one has deleted something."""
        self._outdated = True

    def take_inputs(self, accepts: Sequence[Accept]) -> list[bool]:
        """For each operation whether there is room for all of it, which is then reserved."""
        sizes_bytes = [sum([len(row.message.input) + _ROW_BYTES for row in accept.rows]) for accept in accepts]
        return self._take_each(sizes_bytes, self._for_submits)

    def take_outcomes(self, ends: Sequence[End]) -> list[bool]:
        """For each outcome whether there is room for it, which is then reserved."""
        sizes_bytes = [_ROW_BYTES * (1 + (end.notice is not None)) + len(end.outcome.output or b"") for end in ends]
        return self._take_each(sizes_bytes, self._for_outcomes)

    def take_events(self, events: Sequence[Event]) -> bool:
        """Whether there is room for these events, which is then reserved."""
        return self._take(sum(map(size_bytes, events)), self._for_submits)

    def _take_each(self, sizes_bytes: Sequence[int], most_bytes: int) -> list[bool]:
        all_bytes = sum(sizes_bytes)
        if self._fits(all_bytes, most_bytes):
            self._reserved += all_bytes
            return [True] * len(sizes_bytes)
        return [self._take(size_bytes, most_bytes) for size_bytes in sizes_bytes]

    def _take(self, size_bytes: int, most_bytes: int) -> bool:
        if not self._fits(size_bytes, most_bytes):
            self._measure()
            number = 1
            while not self._fits(size_bytes, most_bytes) and store.purge_read(self._connection, number):
                self._measure()
                number = min(_MOST_PURGED, 2 * number)
        fits = self._fits(size_bytes, most_bytes)
        if fits:
            self._reserved += size_bytes
        return fits

    def _fits(self, size_bytes: int, most_bytes: int) -> bool:
        return self._measured + self._estimated + self._reserved + size_bytes <= most_bytes

    def _measure(self) -> None:
        pages, free, page_bytes = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        self._measured = (pages - free) * page_bytes
        self._estimated = 0
        self._outdated = False
        self.short = 2 * self._measured > self._for_submits
