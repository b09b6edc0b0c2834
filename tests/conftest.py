"""What every test gets: a clean exit enforced, servers on demand, and an honest count at the end."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from pytest_asyncio import is_async_test

from tests.gate import Gate
from tests.leaks import Holdings, left_behind, tasks_left
from tests.progress import ProgressFile
from tests.server_process import ServerProcess

_OUTSIDE = {"contract", "acceptance", "fault"}  # levels whose descriptors are counted


class Serve(Protocol):
    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> ServerProcess:
        """Start `zypher serve` with these arguments; ready when it returns."""
        ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers that all work in `tmp_path` and are gone when the test ends."""
    with contextlib.ExitStack() as servers:

        def start(*arguments: str, environment: Mapping[str, str] | None = None) -> ServerProcess:
            return servers.enter_context(ServerProcess(tmp_path, *arguments, environment=environment)).wait_ready()

        yield start


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """Holds the runs of tests/models/gated.py until the test opens it, at the latest when it ends."""
    with Gate(tmp_path / "gate") as gate:
        yield gate


@pytest.fixture(scope="session", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Temporary files go where those that stay can be told from other programs' files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("t")))
        patch.setattr(tempfile, "tempdir", None)
        yield


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    before = Holdings.now()
    yield
    found = left_behind(before, count_descriptors=not _OUTSIDE.isdisjoint(request.path.parts))
    if found:
        pytest.fail("The test left behind: " + "; ".join(found))


@pytest.fixture(autouse=True)
def no_task_left(request: pytest.FixtureRequest, nothing_left_behind: None) -> None:
    if is_async_test(request.node):
        request.getfixturevalue("no_task_left_in_loop")


@pytest.fixture
async def no_task_left_in_loop() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    if left := await tasks_left(before):
        pytest.fail("The test left tasks running: " + "; ".join(left))


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # processes inherit that it is ignored, as under nohup
    if path := os.environ.get("TEST_PROGRESS"):
        config.pluginmanager.register(ProgressFile(Path(path)), "progress-file")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name every test that was skipped, and say how many ran: here, and to `make test`, which adds the levels up."""
    counts = {outcome: len(terminalreporter.stats.get(outcome, [])) for outcome in ("passed", "failed", "skipped")}
    counts["failed"] += len(terminalreporter.stats.get("error", []))
    for report in terminalreporter.stats.get("skipped", []):
        if isinstance(report, pytest.TestReport) and isinstance(report.longrepr, tuple):
            terminalreporter.write_line(f"SKIPPED {report.nodeid}: {report.longrepr[2]}", yellow=True, bold=True)
    terminalreporter.write_line(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    file = config.pluginmanager.get_plugin("progress-file")
    if isinstance(file, ProgressFile):
        file.progress.passed, file.progress.failed, file.progress.skipped = counts.values()
        file.write()
