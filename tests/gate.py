"""A gate before which the runs of tests/models/gated.py wait, and the list of those that came to it."""

import fcntl
from pathlib import Path
from typing import Self

from tests.polling import wait_until


class Gate:
    """Closed until `open` is called. The runs wait in the kernel for a lock on a file: none of them polls."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._bar = (folder / "gate").open("w")
        fcntl.flock(self._bar, fcntl.LOCK_EX)

    def input(self, text: str) -> dict[str, str]:
        """An input whose output is the text in upper case."""
        return {"text": text, "folder": str(self.folder)}

    def runs(self) -> list[str]:
        """The texts of the runs that have begun, in order."""
        path = self.folder / "runs"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for_runs(self, count: int) -> None:
        """Return once so many runs have begun."""
        wait_until(lambda: len(self.runs()) >= count)

    def open(self) -> None:
        """Let every run pass, now and later. May happen twice."""
        self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.open()
