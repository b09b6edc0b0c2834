"""Data that cannot be used ends the command with a message and stays as it is."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.asking import client_of, output, submit, target
from tests.command import zypher
from tests.conftest import Serve

ECHO = target("echo.py:Echo")


def assert_refused(folder: Path, *words: str) -> None:
    """A server does not start on the data in this folder, says why in one sentence and touches nothing."""
    data = folder / ".zypher" / "zypher.db"
    before = data.read_bytes()
    ended = zypher("serve", ECHO, "--port", "0", cwd=folder)
    assert ended.returncode == 2
    complaints = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(complaints) == 1, ended.stderr
    for word in (".zypher/zypher.db", *words):
        assert word in complaints[0]
    assert data.read_bytes() == before


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / ".zypher").mkdir()
    (tmp_path / ".zypher" / "zypher.db").write_bytes(b"This is no database. " * 1000)
    assert_refused(tmp_path, "damaged")


@pytest.mark.parametrize("first_byte", [4096, 1024])
def test_a_database_with_damaged_pages(serve: Serve, tmp_path: Path, first_byte: int) -> None:
    with client_of(server := serve(ECHO)) as client:
        for number in range(50):
            output(client, submit(client, str(number) * 100))
    assert server.stop() == 0
    data = tmp_path / ".zypher" / "zypher.db"
    content = data.read_bytes()
    data.write_bytes(content[:first_byte] + b"\xff" * (len(content) - first_byte))
    for rest in (tmp_path / ".zypher").glob("zypher.db-*"):
        rest.unlink()
    assert_refused(tmp_path, "damaged")


def test_a_database_of_a_newer_version(serve: Serve, tmp_path: Path) -> None:
    assert serve(ECHO).stop() == 0
    connection = sqlite3.connect(tmp_path / ".zypher" / "zypher.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert_refused(tmp_path, "newer version", "999")


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = zypher("serve", ECHO, "--port", "0", "--data-dir", "file/data", cwd=tmp_path)
    assert ended.returncode == 2
    assert "file/data" in ended.stderr
    assert len([line for line in ended.stderr.splitlines() if not line.startswith("{")]) == 1


def test_data_that_is_removed_under_a_server_is_noticed(serve: Serve) -> None:
    server = serve(ECHO)
    with client_of(server) as client:
        output(client, submit(client, "before"))
        shutil.rmtree(server.directory / ".zypher")

        refused = client.post("/predict", json={"input": "after"}, headers={"Async-Mode": "true"})

        assert refused.status_code == 503
        assert "removed" in refused.json()["error"]
        assert "removed" in client.get("/healthz/ready").json()["error"]
        assert client.post("/predict", json={"input": "needs no disk"}).status_code == 200
