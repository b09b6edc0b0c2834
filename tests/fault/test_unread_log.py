"""A log that is not read, or whose reader is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.asking import predict
from tests.free_port import free_port
from tests.polling import wait_until
from tests.terminal import Terminal

CHATTY = """
import os
def predict(x: int):
    for _ in range(3000):
        print("z" * 80)
        os.write(2, b"y" * 80 + b"\\n")
    return x
"""


@contextmanager
def running(folder: Path, stderr: int, *arguments: str) -> Generator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """A server whose log goes to this descriptor, and a client of it."""
    (folder / "chatty.py").write_text(CHATTY)
    port = free_port()
    command = [sys.executable, "-m", "zypher", "serve", "chatty.py:predict", "--port", str(port), *arguments]
    with (
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
        ) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
        try:
            wait_until(lambda: is_ready(client))
            yield server, client
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def is_ready(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/healthz/ready", params="run").status_code == 200
    return False


def dropped(client: httpx.Client) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("zypher_log_lines_dropped_total "))


@pytest.mark.parametrize("log", ["json", "human"])
def test_an_unread_log_stalls_nothing(tmp_path: Path, log: str) -> None:
    ours, theirs = os.pipe()
    with running(tmp_path, theirs, "--log-format", log) as (server, client):
        os.close(theirs)
        while dropped(client) == 0:
            assert predict(client, 1).status_code == 200
            assert client.get("/healthz/live").status_code == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
    os.close(ours)


@pytest.mark.parametrize("log", ["json", "human"])
def test_a_reader_of_the_log_that_goes_away_costs_nothing(tmp_path: Path, log: str) -> None:
    ours, theirs = os.pipe()
    with running(tmp_path, theirs, "--log-format", log) as (server, client):
        os.close(theirs)
        os.close(ours)
        assert [predict(client, number).json() for number in range(3)] == [0, 1, 2]
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0


def test_a_terminal_that_goes_away_costs_nothing(tmp_path: Path) -> None:
    with Terminal() as terminal, running(tmp_path, terminal.theirs) as (server, client):
        terminal.hand_over()
        terminal.close()
        assert [predict(client, number).json() for number in range(3)] == [0, 1, 2]
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0


@pytest.mark.parametrize("closed", ["0", "1", "2", "012"])
def test_closed_streams_cost_nothing(tmp_path: Path, closed: str) -> None:
    (tmp_path / "chatty.py").write_text(CHATTY)
    closing = " ".join(f"{number}>&-" for number in closed)
    command = f'exec "{sys.executable}" -m zypher check chatty.py:predict --input 1 --json {closing}'
    ended = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, timeout=30, check=False)
    assert ended.returncode == 0
    assert ("1" in closed) == (ended.stdout == b"")
