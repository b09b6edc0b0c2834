"""Give back to the system what is free in the data file, in bites between two commits."""

import sqlite3
from pathlib import Path

_BITE = 64  # pages: about 7 ms
_FEWEST = 128  # free pages that are worth it


class Shrinking:
    """The thread that writes looks after each batch, once nothing waits for it."""

    def __init__(self, connection: sqlite3.Connection, file: Path, wal_bytes: int) -> None:
        self._connection = connection
        self._wal = file.with_name(file.name + "-wal")
        self._wal_bytes = wal_bytes
        self._freed = False
        self._begun = False

    def freed(self) -> None:
        """Look at the next opportunity: something was deleted."""
        self._freed = True

    def bite(self) -> bool:
        """Shrink a little; whether there is more to do. Raises `sqlite3.Error` and `OSError`."""
        if self._freed:
            self._freed = self._shrink()
            return True
        if self._wal.stat().st_size > self._wal_bytes:
            self._empty_wal()
        return False

    def _shrink(self) -> bool:
        """Give back a bite of a file that is a quarter free, until less than a sixteenth is."""
        pages, free = self._pragma("page_count"), self._pragma("freelist_count")
        if free <= max(_FEWEST, pages // (16 if self._begun else 4)) or self._pragma("auto_vacuum") == 0:
            if self._begun:
                self._begun = False
                self._empty_wal()  # the file itself shrinks only now
            return False
        self._begun = True
        # A script, because `execute` stops after the first page.
        self._connection.executescript(f"PRAGMA incremental_vacuum({_BITE})")
        return True

    def _empty_wal(self) -> None:
        """Write what is in the log into the file; as much as readers allow, without waiting for them."""
        patience_ms = self._pragma("busy_timeout")
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {patience_ms}")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
