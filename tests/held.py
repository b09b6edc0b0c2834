"""What tests/models/leaving.py holds while it runs, and what of it is left afterwards."""

import json
import os
import shutil
from pathlib import Path

import psutil

from tests.polling import wait_until

_SHARED = Path("/dev/shm")


class Held:
    """Of one replica, whose model has written it down in this folder."""

    def __init__(self, directory: Path) -> None:
        file = directory / "held.json"
        wait_until(file.exists)
        record = json.loads(file.read_text())
        file.unlink()
        self.replica: int = record["pid"]
        self.folders = [Path(folder) for folder in record["folders"]]
        self.shared = [_SHARED / name for name in record["shared"]]
        self.processes = [process for process in psutil.process_iter() if self._is_its(process)]
        (self.guard,) = (process for process in self.processes if os.getsid(process.pid) == process.pid)
        assert self.left() == [*self.folders, *self.shared, *self.processes]

    def left(self) -> list[object]:
        """Temporary folders, shared memory, semaphores and living processes, the guard among them."""
        paths = [path for path in (*self.folders, *self.shared) if path.exists()]
        return [*paths, *(process for process in self.processes if _lives(process))]

    def wait_for_folders_only(self) -> None:
        """Return once only folders are left, as of a script that is killed, and remove them."""
        wait_until(lambda: all(each in self.folders for each in self.left()), within_s=5)
        self.remove_folders()

    def remove_folders(self) -> None:
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _is_its(self, process: psutil.Process) -> bool:
        try:
            return os.getpgid(process.pid) == self.replica or process.cmdline()[-1:] == [str(self.replica)]
        except (psutil.Error, ProcessLookupError):
            return False


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
