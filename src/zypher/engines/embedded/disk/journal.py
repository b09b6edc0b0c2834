"""The journal in a data folder: its lock, its database, the thread that writes and the one that reads."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from zypher.clock import Clock
from zypher.engines.embedded.disk import clock_row, model_rows, store
from zypher.engines.embedded.disk.damage import DamageLog, is_damage
from zypher.engines.embedded.disk.database import bound_wal, database_errors, open_reader, open_writer
from zypher.engines.embedded.disk.folder import Folder
from zypher.engines.embedded.disk.reader import Reader
from zypher.engines.embedded.disk.salvage import salvage
from zypher.engines.embedded.disk.space import Space, default_limit_bytes
from zypher.engines.embedded.disk.writer import Writer
from zypher.engines.embedded.journal import MarkRead, Probe, Purge, Read, Recovered, Write
from zypher.engines.embedded.recovery import Recovery
from zypher.engines.embedded.size_limit import SizeLimit
from zypher.engines.refusals import stopping

_MOST_READ = 256  # read results that are noted in memory only


class DiskJournal:
    """The `Journal` for one process and one folder: what is written is fsynced, and survives a power cut."""

    def __init__(self, folder: Path, clock: Clock, limit_bytes: int | None = None) -> None:
        """`limit_bytes` bounds the folder; None: what the disk allows for."""
        self.recovery = Recovery(clock, lambda: self.write(Probe()))
        self._clock = clock
        self._folder = Folder(folder)
        self._limit_bytes = limit_bytes
        self._threads: tuple[Writer, Reader] | None = None
        self._space: Space | None = None
        self._read: dict[str, None] = {}  # read results whose notes are not written yet
        self._last_row = 0

    @property
    def used_bytes(self) -> int:
        return 0 if self._space is None else self._space.used_bytes

    @property
    def limit_bytes(self) -> int:
        return 0 if self._space is None else self._space.limit.limit_bytes

    def open(self) -> Recovered:
        """Lock the folder and read what an earlier process left in it. Raises `EngineError`."""
        with ExitStack() as undo:
            self._folder.take()
            undo.callback(self._folder.give_back)
            writing = undo.enter_context(closing(open_writer(self._folder.database, self._clock.now())))
            reading = undo.enter_context(closing(open_reader(self._folder.database)))
            recovered = self._recover(reading)
            space = self._open_space(writing)
            writer = Writer(writing, self._folder.path, space, self.recovery.update)
            reader = Reader(reading, self._folder.path)
            undo.pop_all()
        writer.start()
        reader.start()
        self._threads = (writer, reader)
        self._space = space
        return recovered

    async def close(self) -> None:
        if self._threads is None:
            return
        self.recovery.stop()
        self._write_notes()
        writer, reader = self._threads
        self._threads = None
        await writer.stop()
        await reader.stop()
        writer.close()
        self._folder.give_back()

    def new_row(self) -> int:
        self._last_row += 1
        return self._last_row

    def write(self, operation: Write) -> None:
        writer, _ = self._open_threads()
        if self._read and (isinstance(operation, Purge) or (self._space is not None and self._space.short)):
            self._write_notes()
        writer.write(operation)

    def read(self, operation: Read) -> None:
        self._open_threads()[1].read(operation)

    def note_read(self, prediction_id: str) -> None:
        """Written with many others, once space is short or at the next purge."""
        self._read[prediction_id] = None
        if len(self._read) >= _MOST_READ:
            self._write_notes()

    def _write_notes(self) -> None:
        if self._read and self._threads is not None:
            self._threads[0].write(MarkRead(tuple(self._read)))
            self._read.clear()

    def _open_space(self, connection: sqlite3.Connection) -> Space:
        with database_errors(self._folder.database):
            limit_bytes = default_limit_bytes(self._folder.path) if self._limit_bytes is None else self._limit_bytes
            space = Space(connection, SizeLimit(limit_bytes))
            bound_wal(connection, space.wal_bytes)
        return space

    def _recover(self, connection: sqlite3.Connection) -> Recovered:
        with database_errors(self._folder.database):
            self._last_row = store.select_last_row(connection)
            try:
                return Recovered(
                    store.select_waiting(connection),
                    store.select_dead(connection),
                    model_rows.select_cards(connection),
                    model_rows.select_paused(connection),
                    clock_row.select_moment(connection),
                )
            except Exception as error:
                if not is_damage(error):
                    raise
                DamageLog(self._folder.database).report(error)
                return salvage(connection, self._last_row)

    def _open_threads(self) -> tuple[Writer, Reader]:
        if self._threads is None:
            raise stopping()
        return self._threads
