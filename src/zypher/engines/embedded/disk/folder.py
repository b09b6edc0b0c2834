"""The data folder: private, locked by one server at a time, ignored by git."""

import fcntl
import os
from pathlib import Path

from zypher.engines.embedded.disk.private import open_private
from zypher.errors import EngineError

_DATABASE = "zypher.db"
_LOCK = "lock"
_IGNORED = ".gitignore"
_SOCKET = "operations.sock"  # for operators, made by the server
_LONGEST_BYTES = 504  # of the path of a file, as SQLite takes it


class Folder:
    """Holds the lock of a data folder from `take` to `give_back`; the system releases it when the process dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def database(self) -> Path:
        return self.path / _DATABASE

    def take(self) -> None:
        """Make the folder if need be, check that it is private, and lock it. Raises `EngineError`."""
        try:
            self._check_length()
            with open_private(self.path) as folder:
                folder.tighten({_IGNORED, _LOCK, _SOCKET, *_files_of(_DATABASE)})
                folder.make(_IGNORED, b"*\n")
                lock = folder.open(_LOCK)
                self._take_lock(lock)
                folder.make(_DATABASE, b"")  # SQLite gives its other files the rights of this one
                for name in _files_of(_DATABASE):
                    folder.check(name)
        except OSError as error:
            self.give_back()
            raise EngineError(
                f"The data folder {self.path} cannot be used ({error.strerror}); make it a writable folder, "
                "or name another one as the data folder."
            ) from error
        except BaseException:
            self.give_back()
            raise

    def _check_length(self) -> None:
        length = len(os.fsencode(os.path.realpath(self.database)))
        if length > _LONGEST_BYTES:
            raise EngineError(
                f"The path of {self.database} has {length} bytes, and SQLite takes {_LONGEST_BYTES} at most; "
                "name a folder with a shorter one as the data folder."
            )

    def _take_lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise EngineError(
                f"The data folder {self.path} is in use by another server, process {holder}; stop that one, "
                "or name another folder as the data folder."
            ) from error
        self._lock = lock
        try:
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        except OSError:  # a full disk: the lock holds without the process id in it
            return

    def give_back(self) -> None:
        """Release the lock. May happen twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _files_of(database: str) -> set[str]:
    return {database, *(database + ending for ending in ("-wal", "-shm", "-journal"))}
