"""The SQLite file: opened, checked and of the schema that this version knows."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from zypher.engines.embedded.statements import statement
from zypher.errors import EngineError

SCHEMA_VERSION = 2
_CACHED_STATEMENTS = 128
_BUSY_S = 5.0  # somebody with a SQLite shell may hold the file for a moment


def open_writer(path: Path) -> sqlite3.Connection:
    """The connection that writes, after the schema is made or brought up to date. Raises `EngineError`."""
    with database_errors(path):
        connection = _connect(path)
        try:
            # WAL: readers and the writer do not wait for one another. FULL: a commit is on the disk.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises `EngineError`."""
    with database_errors(path):
        connection = _connect(path)
        connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def database_errors(path: Path) -> Generator[None]:
    """Tell whoever starts a server on a file that cannot be used what to do about it."""
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


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise EngineError(
            f"The data file {path} was written by a newer version of zypher (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); install that version, or name another folder as the data folder."
        )
    for step in range(version + 1, SCHEMA_VERSION + 1):
        schema = statement(f"schema_{step}")
        connection.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {step};\nCOMMIT;")
