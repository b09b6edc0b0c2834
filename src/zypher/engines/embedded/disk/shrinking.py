"""Gives free pages of the data file back to the system, a few between two commits."""

import sqlite3
from pathlib import Path

_STEP_PAGES = 64  # about 7 ms
_FEWEST_PAGES = 128  # free ones that are worth it


class Shrinking:
    """Called by the thread that writes after a batch, while no operation waits."""

    def __init__(self, connection: sqlite3.Connection, file: Path, wal_bytes: int) -> None:
        self._connection = connection
        self._wal = file.with_name(file.name + "-wal")
        self._wal_bytes = wal_bytes
        self._freed = False
        self._begun = False

    def note_freed(self) -> None:
        """Shrink at the next opportunity: something was deleted."""
        self._freed = True

    def step(self) -> bool:
        """Shrink a little; whether there is more to do. Raises `sqlite3.Error` and `OSError`."""
        if self._freed:
            self._freed = self._shrink()
            return True
        if self._wal.stat().st_size > self._wal_bytes:
            self._empty_wal()
        return False

    def _shrink(self) -> bool:
        """Give back a few pages of a file that is a quarter free, until less than a sixteenth is; whether it did."""
        pages, free = self._pragma("page_count"), self._pragma("freelist_count")
        if free <= max(_FEWEST_PAGES, pages // (16 if self._begun else 4)) or self._pragma("auto_vacuum") == 0:
            if self._begun:
                self._begun = False
                self._empty_wal()  # the file itself shrinks only now
            return False
        self._begun = True
        # A script, because `execute` stops after the first page.
        self._connection.executescript(f"PRAGMA incremental_vacuum({_STEP_PAGES})")
        return True

    def _empty_wal(self) -> None:
        """Write the WAL into the file, as much as readers allow, without waiting for them."""
        timeout_ms = self._pragma("busy_timeout")
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
