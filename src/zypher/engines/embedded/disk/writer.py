"""The thread that writes: all that waits in one transaction, one commit, then the results."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from zypher.engines.embedded.disk.batch_thread import BatchThread, Callbacks
from zypher.engines.embedded.disk.damage import REMEDY, DamageLog, is_damage
from zypher.engines.embedded.disk.damage_workarounds import DamageWorkarounds
from zypher.engines.embedded.disk.database import file_of
from zypher.engines.embedded.disk.shrinking import Shrinking
from zypher.engines.embedded.disk.space import Space
from zypher.engines.embedded.disk.transaction import Transaction
from zypher.engines.embedded.disk.wal import Wal, WalCut
from zypher.engines.embedded.journal import Accept, Damaged, End, Mark, MarkRead, Probe, Publish, SetClock, Write
from zypher.errors import EngineUnavailable

_WITHOUT_RESULT = (MarkRead, SetClock, Probe)


class Writer:
    """Group commit. `report` gets what made a batch fail, or None after something was written, before the results."""

    def __init__(
        self, connection: sqlite3.Connection, folder: Path, space: Space, report: Callable[[str | None], None]
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._space = space
        self._report = report
        self._transaction = Transaction(connection, space)
        self._file = file_of(connection)
        self._identity = self._file.stat()
        self._wal = Wal(self._file)
        self._damage = DamageLog(self._file)
        self._workarounds = DamageWorkarounds(connection)
        self._shrinking = Shrinking(connection, self._file, space.wal_bytes)
        self._thread: BatchThread[Write] = BatchThread("zypher-writer", self._write_batch, self._shrink)
        self.start = self._thread.start
        self.write = self._thread.submit

    async def stop(self) -> None:
        """Return once all that was given is written, or has failed to be."""
        await self._thread.stop()

    def close(self) -> None:
        """Close the file; last of all that have it open."""
        self._connection.close()
        self._wal.close()

    def _write_batch(self, batch: list[Write]) -> Callbacks:
        changes = self._connection.total_changes
        try:
            self._check_file()
            callbacks = self._commit(batch)
        except Exception as error:  # of any kind: it is the result of every operation
            if is_damage(error):
                return [callback for operation in batch for callback in self._write_alone(operation)]
            return self._failures(batch, _problem(self._folder, error))
        problem = self._transaction.problem
        changed = problem is not None or self._connection.total_changes != changes
        return [partial(self._report, problem), *callbacks] if changed else callbacks

    def _write_alone(self, operation: Write) -> Callbacks:
        """The file is damaged somewhere: only what concerns that place fails."""
        try:
            return self._commit([operation])
        except Exception as error:  # of any kind: it is the result
            if not is_damage(error):
                return self._failures([operation], _problem(self._folder, error))
            self._damage.report(error)
            return self._write_around(operation, _problem(self._folder, error))

    def _write_around(self, operation: Write, problem: str) -> Callbacks:
        """The result of an operation that met damage.

        An attempt whose beginning cannot be noted is counted in memory only, and events are forgotten. A prediction
        that cannot be accepted is a problem of the file as a whole, and so is an outcome unless others can be stored.
        """
        failures = self._failures([operation], problem)
        match operation:
            case Mark() | Publish():
                return [] if operation.done is None else [partial(operation.done, None)]
            case End():
                if self._workarounds.write_outcome(operation):
                    return [partial(operation.done, None)]
                lost = self._workarounds.give_up(operation)
                return [partial(operation.done, Damaged(problem))] if lost else failures
            case Accept():
                standing = self._workarounds.find_standing(operation)
                return failures if None in standing else [partial(operation.done, standing)]
            case Probe():
                return failures
            case _:
                return failures[1:]

    def _shrink(self) -> bool:
        try:
            return self._shrinking.step()
        except (sqlite3.Error, OSError):  # the next write has the same problem, and reports it
            return False

    def _check_file(self) -> None:
        """Raise `FileNotFoundError` when what is open is not in the folder any more, `WalCut` when the WAL is cut.

        The system would go on writing to a removed file, and all of it would be lost with the process.
        """
        if not os.path.samestat(self._file.stat(), self._identity):
            raise FileNotFoundError
        try:
            self._wal.check()
        except FileNotFoundError:
            # SQLite still has it open: what was committed is saved into the data file.
            self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
            raise

    def _commit(self, batch: list[Write]) -> list[Callable[[], None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._space.begin()
            callbacks = self._transaction.write(batch)
            self._connection.execute("COMMIT")
            if self._transaction.deleted:
                self._shrinking.note_freed()
                self._space.note_freed()
        except BaseException:
            self._space.forget()
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise
        return callbacks

    def _failures(self, batch: list[Write], problem: str) -> Callbacks:
        waiting = [each.done for each in batch if not isinstance(each, _WITHOUT_RESULT) and each.done is not None]
        failures = [partial(done, EngineUnavailable(problem)) for done in waiting]
        return [partial(self._report, problem), *failures]


def _problem(folder: Path, error: Exception) -> str:
    """The sentence for clients whose predictions the disk does not store."""
    if isinstance(error, WalCut):
        return (
            f"The file zypher.db-wal in {folder} was cut while the server used it, and what it held is lost; "
            "start the server again."
        )
    if isinstance(error, FileNotFoundError):
        return f"The data in {folder} was removed or replaced while the server used it; start the server again."
    if is_damage(error):
        return f"The data in {folder} is damaged ({error}); {REMEDY}."
    name = getattr(error, "sqlite_errorname", "")
    remedy = "check the disk"
    if name.startswith("SQLITE_FULL"):
        remedy = "make room on the disk"
    elif name.startswith("SQLITE_READONLY"):
        remedy = "make the folder writable"
    return f"Predictions cannot be stored in {folder} ({error}); {remedy}, the server then goes on by itself."
