"""What the SQLite file has of events."""

import sqlite3
from collections.abc import Sequence

from zypher.engines.contract import EVENT_BYTES, MOST_EVENT_BYTES
from zypher.engines.embedded.disk.statements import statement
from zypher.engines.embedded.disk.store import execute_rows
from zypher.engines.embedded.journal import Publish, Row
from zypher.prediction import Event, EventKind
from zypher.text import encodable


def insert_events(connection: sqlite3.Connection, published: Publish) -> None:
    """Store events under the next numbers, and delete the oldest where there are too many."""
    (last,) = connection.execute(statement("select_last_event"), (published.row,)).fetchone()
    numbered = [
        Event(event.kind, event.content, published.attempt, number)
        for number, event in enumerate(published.events, last + 1)
    ]
    _insert(connection, published.row, numbered)
    connection.execute(statement("delete_old_events"), (published.row, EVENT_BYTES, MOST_EVENT_BYTES))


def insert_earlier_events(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Store the events that predictions had before they were durable."""
    for row in rows:
        if row.events:
            _insert(connection, row.row, row.events)


def select_events(connection: sqlite3.Connection, prediction_id: str, after: int) -> list[Event]:
    """Those of a prediction above a number, in order."""
    found = connection.execute(statement("select_events"), (encodable(prediction_id), after))
    return [Event(EventKind(kind), bytes(content), attempt, number) for kind, content, attempt, number in found]


def _insert(connection: sqlite3.Connection, row: int, events: Sequence[Event]) -> None:
    cells = [(row, event.number, event.attempt, event.kind.value, event.content) for event in events]
    execute_rows(connection, "insert_events", cells)
