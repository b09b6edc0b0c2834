"""What can be written and found around damage of the data file; only the threads of the file call it."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress

from msgspec.structs import replace

from zypher.engines.embedded.disk import store
from zypher.engines.embedded.journal import Accept, Accepted, End


class DamageWorkarounds:
    """Each method is a transaction, or none where it changes nothing. None raises for damage."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def write_outcome(self, end: End) -> bool:
        """Store an outcome in spite of damage; whether that was possible.

        It is stored without the changes to other rows that belong to it; its notice follows by itself. Where its
        place is damaged, or the page beside it, the prediction is given another number, far from there.
        """
        stored = self._write_outcome(end)
        if stored and end.notice is not None:
            with suppress(sqlite3.Error), self._transaction("COMMIT"):
                store.insert_predictions(self._connection, [end.notice])
                store.replace_waiting(self._connection, [end.notice])
        return stored

    def _write_outcome(self, end: End) -> bool:
        with suppress(sqlite3.Error), self._transaction("COMMIT"):
            if store.has_prediction(self._connection, end.row):
                store.insert_outcome(self._connection, end)
                return True
        with suppress(sqlite3.Error), self._transaction("COMMIT"):
            moved_to = store.move_prediction(self._connection, end.row)
            if moved_to is not None:
                store.insert_outcome(self._connection, replace(end, row=moved_to))
                return True
        return False

    def give_up(self, end: End) -> bool:
        """Keep a prediction that cannot end from running again; whether it is only its own rows that are damaged."""
        with suppress(sqlite3.Error), self._transaction("COMMIT"):
            store.delete_waiting(self._connection, [end.row])
        with suppress(sqlite3.Error), self._transaction("ROLLBACK"):
            store.insert_last_outcome(self._connection)
            return True
        return False

    def find_standing(self, accept: Accept) -> Accepted:
        """What has the idempotency keys of a submit, where their rows cannot be read: it ends as data_lost."""
        with suppress(sqlite3.Error):
            return [store.find_lost_standing(self._connection, row) for row in accept.rows]
        return [None for _ in accept.rows]

    @contextmanager
    def _transaction(self, end: str) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute(end)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
