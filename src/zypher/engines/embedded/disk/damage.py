"""Damage of the data file: which errors mean it, and one line in the log."""

import logging
import sqlite3
from pathlib import Path

import msgspec

logger = logging.getLogger(__name__)

_CODES = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_TEXTS = ("Could not decode to UTF-8", "JSON cannot hold BLOB")
_INVALID = (msgspec.MsgspecError, TypeError, ValueError, OverflowError)  # a cell that is not what was written
REMEDY = "stop the server and restore it from a backup, or move it away to begin with an empty one"


def is_damage(error: Exception) -> bool:
    """Whether an error of reading or writing rows means damage of the file, so that it is useless to try again."""
    if isinstance(error, sqlite3.Error):
        name = str(getattr(error, "sqlite_errorname", ""))
        return name.startswith(_CODES) or any(text in str(error) for text in _TEXTS)
    return isinstance(error, _INVALID)


class DamageLog:
    """One line for each data file, however often the damage is met."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reported = False

    def report(self, error: Exception) -> None:
        if not self._reported:
            self._reported = True
            about = {"file": str(self._file), "problem": str(error), "remedy": REMEDY}
            logger.error("the data file is damaged; what can be read of it goes on, the rest is data_lost", extra=about)
