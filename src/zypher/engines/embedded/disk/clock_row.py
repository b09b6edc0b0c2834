"""What the SQLite file has of the engine clock."""

import sqlite3

from zypher.engines.embedded.disk.damage import is_damage
from zypher.engines.embedded.disk.statements import statement
from zypher.engines.embedded.engine_clock import Moment
from zypher.engines.stored import to_instant, to_microseconds


def replace_moment(connection: sqlite3.Connection, moment: Moment) -> None:
    """Store this moment in place of the one before."""
    connection.execute(statement("replace_moment"), (to_microseconds(moment.date), moment.reading_us))


def select_moment(connection: sqlite3.Connection) -> Moment:
    """The last one that was stored. Raises `TypeError` when it is not there or not this."""
    return _moment(connection, "select_moment")


def select_readable_moment(connection: sqlite3.Connection) -> Moment | None:
    """The same, else the moment of the last end, so that nothing becomes old; None where neither can be read."""
    for name in ("select_moment", "select_last_end"):
        try:
            return _moment(connection, name)
        except Exception as error:
            if not is_damage(error):
                raise
    return None


def _moment(connection: sqlite3.Connection, name: str) -> Moment:
    date, reading_us = connection.execute(statement(name)).fetchone()
    if not isinstance(date, int) or not isinstance(reading_us, int):
        raise TypeError
    return Moment(to_instant(date), reading_us)
