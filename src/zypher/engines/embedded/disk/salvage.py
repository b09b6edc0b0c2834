"""Reads at the start what can be read of a damaged data file."""

import sqlite3
from collections.abc import Iterator

from zypher.engines.embedded.disk import clock_row, model_rows, store
from zypher.engines.embedded.disk.damage import is_damage
from zypher.engines.embedded.journal import DeadLetter, Recovered, WaitingRow
from zypher.model_card import ModelCard

_MOST_SMALL_STEPS = 1_000  # over numbers of a damaged page; beyond them the steps grow


def salvage(connection: sqlite3.Connection, last_row: int) -> Recovered:
    """All rows up to `last_row` that can be read, each by itself. Raises other errors than damage."""
    waiting = [found for each in _waiting(connection, last_row) if (found := _head(connection, *each))]
    return Recovered(
        waiting,
        _dead(connection),
        _cards(connection),
        _paused(connection),
        clock_row.select_readable_moment(connection),
    )


def _waiting(connection: sqlite3.Connection, last_row: int) -> Iterator[tuple[int, int, bool]]:
    """The numbers and attempts of what waits, and whether it is asked to stop.

    What stands in a damaged page is passed over.
    """
    number, failures = 0, 0
    while number < last_row:
        try:
            found = store.select_next_waiting(connection, number)
        except Exception as error:
            if not is_damage(error):
                raise
            failures += 1
            number += 1 << max(0, failures - _MOST_SMALL_STEPS)
            continue
        if found is None:
            return
        number = found[0]
        yield found


def _head(connection: sqlite3.Connection, row: int, attempt: int, stop_asked: bool) -> WaitingRow | None:
    try:
        prediction_id, model, submitted_at, options = store.select_head(connection, row)
    except Exception as error:
        if not is_damage(error):
            raise
        return None
    return WaitingRow(row, prediction_id, model, submitted_at, attempt, options, stop_asked)


def _cards(connection: sqlite3.Connection) -> dict[str, ModelCard]:
    try:
        return model_rows.select_cards(connection)
    except Exception as error:
        if not is_damage(error):
            raise
        return {}  # the next worker announces its own


def _paused(connection: sqlite3.Connection) -> frozenset[str]:
    try:
        return model_rows.select_paused(connection)
    except Exception as error:
        if not is_damage(error):
            raise
        return frozenset()


def _dead(connection: sqlite3.Connection) -> list[DeadLetter]:
    try:
        rows = store.select_dead_rows(connection)
    except Exception as error:
        if not is_damage(error):
            raise
        return []
    letters: list[DeadLetter] = []
    for row, ended_us in rows:
        head = _head(connection, row, 0, stop_asked=False)
        if head is not None:
            about = head.prediction_id, head.model, head.submitted_at
            letters.append(DeadLetter(row, *about, ended_us, head.options))
    return letters
