"""The data folder at work: its lock, its database, the thread that writes and the one that reads."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from zypher.clock import Clock
from zypher.engines.embedded import store
from zypher.engines.embedded.asks import MarkRead, Purge, Read, Write
from zypher.engines.embedded.database import bound_wal, database_errors, open_reader, open_writer
from zypher.engines.embedded.folder import Folder
from zypher.engines.embedded.reader import Reader
from zypher.engines.embedded.recovery import Recovery
from zypher.engines.embedded.space import Space, default_limit_bytes
from zypher.engines.embedded.store import DeadRow, WaitingRow
from zypher.engines.embedded.writer import Writer
from zypher.engines.refusals import STOPPING
from zypher.errors import EngineUnavailable

_MOST_READ = 256  # results whose reading is noted in memory only


class Remains(msgspec.Struct, frozen=True):
    """What an earlier process left."""

    waiting: list[WaitingRow]  # all that has not ended, in order of acceptance
    dead: list[DeadRow]  # those that died first first


class Disk:
    """Takes asks from `open` to `close`; before and after it refuses them with `EngineUnavailable`."""

    def __init__(self, folder: Path, clock: Clock, limit_bytes: int | None) -> None:
        self.recovery = Recovery(clock, self.write)
        self._folder = Folder(folder)
        self._limit_bytes = limit_bytes  # None: what the disk allows for
        self._threads: tuple[Writer, Reader] | None = None
        self._space: Space | None = None
        self._read: dict[str, None] = {}  # results that were read, and it is not written down yet
        self._last_row = 0

    def open(self) -> Remains:
        """Take the folder and read what an earlier process left in it. Raises `EngineError`."""
        with ExitStack() as undo:
            self._folder.take()
            undo.callback(self._folder.give_back)
            writing = undo.enter_context(closing(open_writer(self._folder.database)))
            reading = undo.enter_context(closing(open_reader(self._folder.database)))
            remains = self._read_remains(reading)
            space = self._open_space(writing)
            writer = Writer(writing, self._folder.path, space, self.recovery.noticed)
            reader = Reader(reading, self._folder.path)
            undo.pop_all()
        writer.start()
        reader.start()
        self._threads = (writer, reader)
        self._space = space
        return remains

    async def close(self) -> None:
        """Return once all that was given is done and answered. May happen twice."""
        if self._threads is None:
            return
        self.recovery.stop()
        self._write_read()
        writer, reader = self._threads
        self._threads = None
        await writer.stop()
        await reader.stop()
        self._folder.give_back()

    def new_row(self) -> int:
        """A number for a prediction on disk that none had before."""
        self._last_row += 1
        return self._last_row

    def write(self, ask: Write) -> None:
        writer, _ = self._open_threads()
        if self._read and (isinstance(ask, Purge) or (self._space is not None and self._space.short)):
            self._write_read()
        writer.write(ask)

    def read(self, ask: Read) -> None:
        self._open_threads()[1].read(ask)

    def note_read(self, prediction_id: str) -> None:
        """Let a result go before others once space is short: a client was given it.

        Written down with many others, and none too soon: if that is lost, the result is only kept longer.
        """
        self._read[prediction_id] = None
        if len(self._read) >= _MOST_READ:
            self._write_read()

    def _write_read(self) -> None:
        if self._read and self._threads is not None:
            self._threads[0].write(MarkRead(tuple(self._read)))
            self._read.clear()

    def _open_space(self, connection: sqlite3.Connection) -> Space:
        with database_errors(self._folder.database):
            limit_bytes = default_limit_bytes(self._folder.path) if self._limit_bytes is None else self._limit_bytes
            space = Space(connection, limit_bytes)
            bound_wal(connection, space.wal_bytes)
        return space

    def _read_remains(self, connection: sqlite3.Connection) -> Remains:
        with database_errors(self._folder.database):
            self._last_row = store.select_last_row(connection)
            return Remains(store.select_waiting(connection), store.select_dead(connection))

    def _open_threads(self) -> tuple[Writer, Reader]:
        if self._threads is None:
            raise EngineUnavailable(STOPPING)
        return self._threads
