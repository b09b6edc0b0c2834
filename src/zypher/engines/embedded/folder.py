"""The folder that holds an embedded engine's data: one server at a time, and git does not see it."""

import fcntl
import os
from pathlib import Path

from zypher.errors import EngineError


class Folder:
    """A data folder that is ours from `take` to `give_back`; the system gives it back when the process dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def database(self) -> Path:
        return self.path / "zypher.db"

    def take(self) -> None:
        """Make the folder if need be and take it. Raises `EngineError`."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            ignored = self.path / ".gitignore"
            if not ignored.exists():
                ignored.write_text("*\n", encoding="utf-8")
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise EngineError(
                f"The data folder {self.path} cannot be used ({error.strerror}); make it a writable folder, "
                "or name another one as the data folder."
            ) from error
        self._take_lock(lock)

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
        except OSError:  # a full disk: the lock holds all the same, only its holder stays unnamed
            return

    def give_back(self) -> None:
        """Let another server have the folder. May happen twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
