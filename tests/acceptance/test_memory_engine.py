"""`zypher serve --engine memory`: the same service, and not one file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import client_of, output, predict, submit, target
from tests.command import zypher as command
from tests.server_process import ServerProcess

ECHO = target("echo.py:Echo")
FOLDERS = ("current", "temporary", "home")  # wherever a server might write


class ReadOnlyServer(ServerProcess):
    """A server in a current folder that it cannot write to."""

    def command(self, *arguments: str) -> list[str]:
        return ["env", f"--chdir={self.directory / 'current'}", *super().command(*arguments)]


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[list[Path]]:
    folders = [tmp_path / name for name in FOLDERS]
    for folder in folders:
        folder.mkdir(0o555)
    yield folders
    for folder in folders:
        folder.chmod(0o755)


@pytest.fixture
def server(tmp_path: Path, folders: list[Path]) -> Iterator[ServerProcess]:
    places = {"TMPDIR": str(folders[1]), "HOME": str(folders[2])}
    with ReadOnlyServer(tmp_path, ECHO, "--engine", "memory", environment=places) as server:
        yield server.wait_ready()


def test_a_server_in_memory_answers_and_writes_no_file(server: ServerProcess, folders: list[Path]) -> None:
    with client_of(server) as client:
        assert predict(client, "abc").json() == {"input": "abc", "result": "3"}
        assert output(client, submit(client, "abcd")) == {"input": "abcd", "result": "4"}
        first, again = (predict(client, "a", {"Idempotency-Key": "key"}) for _ in range(2))
        assert first.json() == again.json() == {"input": "a", "result": "1"}
        assert first.headers["prediction-id"] == again.headers["prediction-id"]
        assert predict(client, "b", {"Idempotency-Key": "key"}).status_code == 422
    assert server.stop() == 0
    assert [list(folder.iterdir()) for folder in folders] == [[], [], []]


def test_a_server_in_memory_warns_once(server: ServerProcess) -> None:
    assert server.stop() == 0
    warnings = [record["message"] for record in server.log() if record["level"] == "warning"]
    assert warnings == ["the engine is in memory: no prediction and no result survives this process"]


def test_a_queue_in_memory_has_no_operator_socket(tmp_path: Path) -> None:
    ended = command("queue", "--engine", "memory", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "read its queues in the server's /metrics" in ended.stderr
    assert list(tmp_path.iterdir()) == []
