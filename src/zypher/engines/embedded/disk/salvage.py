"""Reads at the start what can be read of a damaged data file."""

import sqlite3
from collections.abc import Iterator

from zypher.engines.embedded.disk import store
from zypher.engines.embedded.disk.damage import is_damage
from zypher.engines.embedded.journal import DeadLetter, Recovered, WaitingRow
from zypher.engines.instants import to_instant
from zypher.model_card import ModelCard

_MOST_SMALL_STEPS = 1_000  # over numbers of a damaged page; beyond them the steps grow


def salvage(connection: sqlite3.Connection, last_row: int) -> Recovered:
    """All rows up to `last_row` that can be read, each by itself. Raises other errors than damage."""
    waiting = [found for row, attempt in _waiting(connection, last_row) if (found := _head(connection, row, attempt))]
    return Recovered(waiting, _dead(connection), _cards(connection))


def _waiting(connection: sqlite3.Connection, last_row: int) -> Iterator[tuple[int, int]]:
    """The numbers and attempts of what waits; what stands in a damaged page is passed over."""
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


def _head(connection: sqlite3.Connection, row: int, attempt: int) -> WaitingRow | None:
    try:
        prediction_id, model, submitted_at = store.select_head(connection, row)
    except Exception as error:
        if not is_damage(error):
            raise
        return None
    return WaitingRow(row, prediction_id, model, submitted_at, attempt, revision="")


def _cards(connection: sqlite3.Connection) -> dict[str, ModelCard]:
    try:
        return store.select_cards(connection)
    except Exception as error:
        if not is_damage(error):
            raise
        return {}  # the next worker announces its own


def _dead(connection: sqlite3.Connection) -> list[DeadLetter]:
    try:
        rows = store.select_dead_rows(connection)
    except Exception as error:
        if not is_damage(error):
            raise
        return []
    letters: list[DeadLetter] = []
    for row, finished_at in rows:
        head = _head(connection, row, 0)
        if head is not None:
            died_at = to_instant(finished_at)
            letters.append(DeadLetter(row, head.prediction_id, head.model, head.submitted_at, died_at, head.revision))
    return letters
