"""The one who writes: all that waits in one transaction, one commit, then the answers."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from zypher.engines.embedded import store
from zypher.engines.embedded.asks import Accept, End, Forget, Mark, Probe, Purge, Replay, Write, Written
from zypher.engines.embedded.batch_thread import Answers, BatchThread
from zypher.errors import EngineUnavailable


class Writer:
    """Group commit. `noticed` hears what hinders it, or None after something was written, before the answers."""

    def __init__(self, connection: sqlite3.Connection, folder: Path, noticed: Callable[[str | None], None]) -> None:
        self._connection = connection
        self._folder = folder
        self._noticed = noticed
        self._file = _file(connection)
        self._identity = self._file.stat()
        self._thread: BatchThread[Write] = BatchThread("zypher-writer", self._work)
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
        return [partial(self._noticed, None), *answers] if self._connection.total_changes != changes else answers

    def _check_file(self) -> None:
        """Raise `FileNotFoundError` when what is open is not the file in the folder any more.

        The system would go on writing to a removed file, and all of it would be gone with the process.
        """
        if not os.path.samestat(self._file.stat(), self._identity):
            raise FileNotFoundError

    def _commit(self, batch: list[Write]) -> list[Callable[[], None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            answers = _write(self._connection, batch)
            self._connection.execute("COMMIT")
        except BaseException:
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


def _write(connection: sqlite3.Connection, batch: Sequence[Write]) -> list[Callable[[], None]]:
    """Write all that a batch asks for, kind by kind; returns the answers in the order of the batch's kinds.

    A prediction is accepted before it is marked and marked before it ends, so this order fits every one.
    """
    accepts = [ask for ask in batch if isinstance(ask, Accept)]
    ends = [ask for ask in batch if isinstance(ask, End)]
    answers: list[Callable[[], None]] = []
    for accept, written in zip(accepts, _accept(connection, accepts), strict=True):
        answers.append(partial(accept.done, written))
    _mark(connection, batch, {end.row for end in ends})
    store.insert_outcomes(connection, ends)
    store.delete_waiting(connection, [end.row for end in ends])
    answers.extend(partial(end.done, None) for end in ends)
    for ask in batch:
        if isinstance(ask, Purge):
            answers.append(partial(ask.done, store.purge(connection, ask.kept_since, ask.limit)))
        elif isinstance(ask, Replay | Forget):
            _replay_or_forget(connection, ask)
            answers.append(partial(ask.done, None))
        elif isinstance(ask, Probe):
            store.write_probe(connection)
    return answers


def _replay_or_forget(connection: sqlite3.Connection, ask: Replay | Forget) -> None:
    """What becomes of a dead letter."""
    if isinstance(ask, Forget):
        store.delete_prediction(connection, ask.row)
    else:
        store.delete_outcome(connection, ask.row)
        store.replace_waiting(connection, [Mark(ask.row, 0, None)])


def _mark(connection: sqlite3.Connection, batch: Sequence[Write], ended: set[int]) -> None:
    """Write the last mark of each prediction that does not end in this batch."""
    marks = {mark.row: mark for mark in batch if isinstance(mark, Mark) and mark.row not in ended}
    store.replace_waiting(connection, list(marks.values()))


def _accept(connection: sqlite3.Connection, accepts: Sequence[Accept]) -> list[Written]:
    if not accepts:
        return []
    connection.execute("SAVEPOINT accepts")
    try:
        store.insert_predictions(connection, accepts)
        written: list[Written] = [None] * len(accepts)
        new = accepts
    except sqlite3.IntegrityError:  # an id or a key came before: find out which
        connection.execute("ROLLBACK TO accepts")
        written = [_accept_one(connection, accept) for accept in accepts]
        new = [accept for accept, answer in zip(accepts, written, strict=True) if answer is None]
    store.replace_waiting(connection, new)
    return written


def _accept_one(connection: sqlite3.Connection, accept: Accept) -> Written:
    standing = store.find_standing(connection, accept)
    if standing is None:
        store.delete_forgotten(connection, accept)
        store.insert_predictions(connection, [accept])
    return standing


def _file(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])
