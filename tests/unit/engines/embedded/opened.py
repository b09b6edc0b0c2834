"""An embedded engine with a journal, and ways to break the one on disk."""

import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path

from tests.fake_clock import FakeClock
from zypher.engines.embedded.disk.journal import DiskJournal
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.embedded.journal import Journal

LEASE_S = 30.0
RETENTION_S = 3600.0


class UnevenClock(FakeClock):
    """The clock of a process that is stopped for a while."""

    def stall(self, seconds: float) -> None:
        """Let time pass in which nothing runs: what became due meanwhile is called at its end."""
        self._elapsed_s += seconds
        self.advance(0)


def opened(
    folder: Path, clock: FakeClock, limit_bytes: int | None = None
) -> AbstractAsyncContextManager[EmbeddedEngine]:
    """One with a journal in a folder."""
    return opened_with(DiskJournal(folder, clock, limit_bytes), clock)


@asynccontextmanager
async def opened_with(journal: Journal, clock: FakeClock) -> AsyncGenerator[EmbeddedEngine]:
    engine = EmbeddedEngine(journal, clock, queue_limit=10_000, retention_s=RETENTION_S, lease_s=LEASE_S)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


@contextmanager
def shell(folder: Path) -> Generator[sqlite3.Connection]:
    """The data file in other hands."""
    with closing(sqlite3.connect(folder / "zypher.db", isolation_level=None)) as connection:
        yield connection


def count(folder: Path, table: str) -> int:
    with shell(folder) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@contextmanager
def unwritable(folder: Path) -> Generator[None]:
    """Nothing can be written to the data file inside this block."""
    tables = ("waiting", "outcomes", "models", "paused", "engine_clock", "probe")
    with shell(folder) as connection:
        for table in tables:
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            yield
        finally:
            for table in tables:
                connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
