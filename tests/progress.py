"""How far a run of pytest is, in a file: for `tests.levels`, which runs several."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

_EVERY_S = 0.5


@dataclass
class Progress:
    """Counts of tests."""

    of: int = 0  # collected
    done: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @classmethod
    def read(cls, path: Path) -> "Progress":
        """The one in the file; nothing yet where there is none."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError):
            return cls()


class ProgressFile:
    """A plugin of pytest that keeps the file."""

    def __init__(self, path: Path) -> None:
        self.progress = Progress()
        self._path = path
        self._written_s = 0.0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.progress.of = len(session.items)
        self.write()

    def pytest_runtest_logfinish(self) -> None:
        self.progress.done += 1
        if time.monotonic() - self._written_s > _EVERY_S:
            self.write()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.progress.failed += report.failed
        self.progress.skipped += report.skipped
        self.progress.passed += report.passed and report.when == "call"

    def write(self) -> None:
        """Replace the file as a whole: it may be read at any moment."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self.progress)))
        fresh.replace(self._path)
        self._written_s = time.monotonic()
