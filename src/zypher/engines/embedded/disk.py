"""The data folder at work: its lock, its database, the thread that writes and the one that reads."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from zypher.clock import Clock
from zypher.engines.embedded import store
from zypher.engines.embedded.asks import Read, Write
from zypher.engines.embedded.database import database_errors, open_reader, open_writer
from zypher.engines.embedded.folder import Folder
from zypher.engines.embedded.reader import Reader
from zypher.engines.embedded.recovery import Recovery
from zypher.engines.embedded.store import DeadRow, WaitingRow
from zypher.engines.embedded.writer import Writer
from zypher.engines.engine import STOPPING
from zypher.errors import EngineUnavailable


class Remains(msgspec.Struct, frozen=True):
    """What an earlier process left."""

    waiting: list[WaitingRow]  # all that has not ended, in order of acceptance
    dead: list[DeadRow]  # those that died first first


class Disk:
    """Takes asks from `open` to `close`; before and after it refuses them with `EngineUnavailable`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.recovery = Recovery(clock, self.write)
        self._folder = Folder(folder)
        self._threads: tuple[Writer, Reader] | None = None
        self._last_row = 0

    def open(self) -> Remains:
        """Take the folder and read what an earlier process left in it. Raises `EngineError`."""
        with ExitStack() as undo:
            self._folder.take()
            undo.callback(self._folder.give_back)
            writing = undo.enter_context(closing(open_writer(self._folder.database)))
            reading = undo.enter_context(closing(open_reader(self._folder.database)))
            remains = self._read_remains(reading)
            writer = Writer(writing, self._folder.path, self.recovery.noticed)
            reader = Reader(reading, self._folder.path)
            undo.pop_all()
        writer.start()
        reader.start()
        self._threads = (writer, reader)
        return remains

    async def close(self) -> None:
        """Return once all that was given is done and answered. May happen twice."""
        if self._threads is None:
            return
        self.recovery.stop()
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
        self._open_threads()[0].write(ask)

    def read(self, ask: Read) -> None:
        self._open_threads()[1].read(ask)

    def _read_remains(self, connection: sqlite3.Connection) -> Remains:
        with database_errors(self._folder.database):
            self._last_row = store.select_last_row(connection)
            return Remains(store.select_waiting(connection), store.select_dead(connection))

    def _open_threads(self) -> tuple[Writer, Reader]:
        if self._threads is None:
            raise EngineUnavailable(STOPPING)
        return self._threads
