"""The one who writes: all that waits in one transaction, one commit, then the answers."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from zypher.engines.embedded.asks import Accept, End, Forget, Purge, Replay, Write
from zypher.engines.embedded.batch_thread import Answers, BatchThread
from zypher.engines.embedded.shrinking import Shrinking
from zypher.engines.embedded.space import Space
from zypher.engines.embedded.writing import Writing
from zypher.errors import EngineUnavailable


class Writer:
    """Group commit. `noticed` hears what hinders it, or None after something was written, before the answers."""

    def __init__(
        self, connection: sqlite3.Connection, folder: Path, space: Space, noticed: Callable[[str | None], None]
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._space = space
        self._noticed = noticed
        self._writing = Writing(connection, space)
        self._file = _file(connection)
        self._identity = self._file.stat()
        self._shrinking = Shrinking(connection, self._file, space.wal_bytes)
        self._thread: BatchThread[Write] = BatchThread("zypher-writer", self._work, self._tidy)
        self.start = self._thread.start
        self.write = self._thread.give

    async def stop(self) -> None:
        """Return once all that was given is written, or has failed to be."""
        await self._thread.stop()
        self._connection.close()

    def _work(self, batch: list[Write]) -> Answers:
        changes = self._connection.total_changes
        try:
            self._check_file()
            answers = self._commit(batch)
        except Exception as error:  # whatever it is, whoever waits must hear of it
            return self._refusals(batch, _problem(self._folder, error))
        problem = self._writing.problem
        changed = problem is not None or self._connection.total_changes != changes
        return [partial(self._noticed, problem), *answers] if changed else answers

    def _tidy(self) -> bool:
        try:
            return self._shrinking.bite()
        except (sqlite3.Error, OSError):  # a disk in trouble: those who wait for a write hear of it
            return False

    def _check_file(self) -> None:
        """Raise `FileNotFoundError` when what is open is not the file in the folder any more.

        The system would go on writing to a removed file, and all of it would be gone with the process.
        """
        if not os.path.samestat(self._file.stat(), self._identity):
            raise FileNotFoundError

    def _commit(self, batch: list[Write]) -> list[Callable[[], None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._space.begin()
            answers = self._writing.write(batch)
            self._connection.execute("COMMIT")
            if self._writing.deleted:
                self._shrinking.freed()
        except BaseException:
            self._space.forget()
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise
        return answers

    def _refusals(self, batch: list[Write], problem: str) -> Answers:
        waited_for = [each for each in batch if isinstance(each, Accept | End | Forget | Purge | Replay)]
        refusals = [partial(ask.done, EngineUnavailable(problem)) for ask in waited_for]
        return [partial(self._noticed, problem), *refusals]


def _problem(folder: Path, error: Exception) -> str:
    """What to tell those whose predictions the disk does not take."""
    if isinstance(error, FileNotFoundError):
        return f"The data in {folder} was removed or replaced while the server used it; start the server again."
    name = getattr(error, "sqlite_errorname", "")
    remedy = "see what ails the disk"
    if name.startswith("SQLITE_FULL"):
        remedy = "make room on the disk"
    elif name.startswith("SQLITE_READONLY"):
        remedy = "make the folder writable"
    return f"Predictions cannot be stored in {folder} ({error}); {remedy}, the server then goes on by itself."


def _file(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])
