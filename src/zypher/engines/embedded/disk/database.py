"""Opens the SQLite file: checks it and brings its schema up to date."""

import logging
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from zypher.engines.embedded.disk.statements import statement
from zypher.engines.stored import to_microseconds
from zypher.errors import EngineError

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 5
_CACHED_STATEMENTS = 128
_INCREMENTAL = 2  # as PRAGMA auto_vacuum returns it
_CHECKPOINT_PAGES = 1000
_SHRINKABLE_BYTES = 64 * 1024 * 1024  # a larger file of an earlier version would delay the start: it stays as it is
_BUSY_S = 5.0  # another program, such as a SQLite shell, may lock the file for a moment


def open_writer(path: Path, date: datetime) -> sqlite3.Connection:
    """The connection that writes, after the schema is made or brought up to date. Raises `EngineError`.

    At `date` the engine clock of a file begins that has none.
    """
    with database_errors(path):
        connection = _connect(path)
        try:
            version = _known_version(connection, path)
            if int(connection.execute("PRAGMA page_count").fetchone()[0]) == 0:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file, before all else
            # WAL: readers and the writer do not wait for one another. FULL: a commit is on the disk.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            _migrate(connection, version, date)
            _make_shrinkable(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def bound_wal(connection: sqlite3.Connection, most_bytes: int) -> None:
    """Bound the WAL file, about, once its content was written into the database file."""
    pages = most_bytes // 2 // int(connection.execute("PRAGMA page_size").fetchone()[0])
    connection.execute(f"PRAGMA journal_size_limit = {most_bytes}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {max(1, min(_CHECKPOINT_PAGES, pages))}")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises `EngineError`."""
    with database_errors(path):
        connection = _connect(path)
        connection.execute("PRAGMA query_only = ON")
    return connection


def file_of(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


@contextmanager
def database_errors(path: Path) -> Generator[None]:
    """Turn a `sqlite3.Error` into an `EngineError` that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise EngineError(
                f"The data file {path} is damaged ({error}); it was left as it is: restore it from a backup, "
                "or move it away to begin with an empty one."
            ) from error
        raise EngineError(
            f"The data file {path} cannot be used ({error}); make its folder writable and see that the disk has room."
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection is used by one thread at a time: by the opening one, then by its own.
    return sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=_CACHED_STATEMENTS
    )


def _known_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file's schema, 0 for a new file. Writes nothing. Raises `EngineError` for a newer one."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise EngineError(
            f"The data file {path} was written by a newer version of zypher (schema {version}, this one has "
            f"{SCHEMA_VERSION}); install that version, or name another folder as the data folder."
        )
    return version


def _migrate(connection: sqlite3.Connection, version: int, date: datetime) -> None:
    connection.create_function("date_us", 0, lambda: to_microseconds(date))
    for step in range(version + 1, SCHEMA_VERSION + 1):
        schema = statement(f"schema_{step}")
        connection.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {step};\nCOMMIT;")


def _make_shrinkable(connection: sqlite3.Connection, path: Path) -> None:
    """Convert a file of an earlier version, which keeps its size for good, if it is small and there is room for it."""
    if int(connection.execute("PRAGMA auto_vacuum").fetchone()[0]) == _INCREMENTAL:
        return
    about = {"file": str(path)}
    if path.stat().st_size > _SHRINKABLE_BYTES:
        logger.info("the data file never shrinks: an earlier version made it, and it is large", extra=about)
        return
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        logger.info("the data file does not shrink yet", extra={**about, "problem": str(error)})
