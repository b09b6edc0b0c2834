"""The data folder at work: its lock, its database, the thread that writes and the one that reads."""

from pathlib import Path

from zypher.clock import Clock
from zypher.engines.embedded import store
from zypher.engines.embedded.database import database_errors, open_reader, open_writer
from zypher.engines.embedded.folder import Folder
from zypher.engines.embedded.operations import Read, Write
from zypher.engines.embedded.reader import Reader
from zypher.engines.embedded.recovery import Recovery
from zypher.engines.embedded.store import DeadRow, WaitingRow
from zypher.engines.embedded.writer import Writer
from zypher.engines.engine import STOPPING
from zypher.errors import EngineUnavailable


class Disk:
    """Takes operations from `open` to `close`; before and after it refuses them with `EngineUnavailable`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.recovery = Recovery(clock, self.write)
        self._folder = Folder(folder)
        self._threads: tuple[Writer, Reader] | None = None
        self._last_row = 0
        self.dead: list[DeadRow] = []  # the dead letters that were there when it was opened

    def open(self) -> list[WaitingRow]:
        """Take the folder and read what has not ended, in order of acceptance. Raises `EngineError`."""
        self._folder.take()
        try:
            return self._open_database()
        except BaseException:
            self._folder.give_back()
            raise

    def _open_database(self) -> list[WaitingRow]:
        path = self._folder.database
        writing = open_writer(path)
        reading = open_reader(path)
        try:
            with database_errors(path):
                waiting = store.select_waiting(reading)
                self.dead = store.select_dead(reading)
                self._last_row = store.select_last_row(reading)
        except BaseException:
            reading.close()
            writing.close()
            raise
        writer, reader = Writer(writing, self._folder.path, self.recovery.noticed), Reader(reading, self._folder.path)
        writer.start()
        reader.start()
        self._threads = (writer, reader)
        return waiting

    def new_row(self) -> int:
        """A number for a prediction on disk that none had before."""
        self._last_row += 1
        return self._last_row

    def write(self, operation: Write) -> None:
        self._open_threads()[0].write(operation)

    def read(self, operation: Read) -> None:
        self._open_threads()[1].read(operation)

    def _open_threads(self) -> tuple[Writer, Reader]:
        if self._threads is None:
            raise EngineUnavailable(STOPPING)
        return self._threads

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
