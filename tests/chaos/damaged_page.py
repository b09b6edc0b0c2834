"""Damages a page of the data file while its server is down; which predictions stood in it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.sqlite_pages import damage, leaves

_TABLES = ("predictions", "outcomes", "waiting")
# The index of the ids has them all, whatever is damaged.
_NUMBERS = "SELECT number FROM predictions INDEXED BY sqlite_autoindex_predictions_1"
_SELECT = """
SELECT prediction_id, submitted_at, length(hex(input)), outcomes.attempt, outcomes.status, waiting.number
FROM predictions LEFT JOIN outcomes USING (number) LEFT JOIN waiting USING (number)
WHERE number = ?
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What can be read of one prediction."""

    prediction_id: str
    cells: tuple[object, ...]
    attempt: int | None  # counted when it ended


def damage_a_page(file: Path, chance: Random) -> set[str]:
    """Overwrite a leaf to which no new rows are added; the ids of the predictions that lost something by it."""
    before = rows_in(file)
    pages = [page for table in _TABLES for page in leaves(file, table)[:-1]]
    if not pages:
        return set()
    damage(file, chance.choice(pages))
    after = rows_in(file)
    return {row.prediction_id for number, row in before.items() if after.get(number) != row}


def rows_in(file: Path) -> Mapping[int, Row]:
    """By number, each prediction that can be read."""
    with closing(sqlite3.connect(file)) as connection:
        numbers = connection.execute(_NUMBERS).fetchall()
        found = ((number, _row(connection, number)) for (number,) in numbers)
        return {number: row for number, row in found if row is not None}


def _row(connection: sqlite3.Connection, number: int) -> Row | None:
    try:
        cells = connection.execute(_SELECT, (number,)).fetchone()
    except sqlite3.DatabaseError:
        return None
    return None if cells is None else Row(cells[0], tuple(cells), cells[3])
