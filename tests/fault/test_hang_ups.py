"""Clients that hang up leave nothing behind: no prediction that runs in vain, no descriptor, no waiting task."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until
from tests.raw_http import RawConnection, post
from tests.server_process import ServerProcess

CLIENTS = 2000

ASLEEP = """
import asyncio
from pathlib import Path

class Asleep:
    async def predict(self, path: str) -> str:
        Path(path).touch()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            Path(path + ".cancelled").touch()
            raise
"""


@pytest.fixture
def server(serve: Serve) -> ServerProcess:
    return serve(target("gated.py:Gated"), "--concurrency", "1")


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with client_of(server) as client:
        yield client


def test_clients_that_hang_up_while_they_wait(server: ServerProcess, client: httpx.Client, gate: Gate) -> None:
    first = submit(client, gate.input("first"))
    gate.wait_for_runs(1)
    before = descriptors(server)
    with contextlib.ExitStack() as connections:
        for _ in range(CLIENTS):
            connection = connections.enter_context(RawConnection(server.url))
            connection.send(post(body(gate, "abandoned")))
        wait_until(lambda: queued(client) == CLIENTS)
        assert descriptors(server) >= before + CLIENTS
    wait_until(lambda: queued(client) == 0)
    wait_until(lambda: descriptors(server) <= before)

    assert client.get("/healthz/ready?run").status_code == 200
    gate.open()
    assert predict(client, gate.input("last")).json() == "LAST"
    assert output(client, first) == "FIRST"
    assert gate.runs() == ["first", "last"]


def test_clients_that_hang_up_while_they_poll(server: ServerProcess, client: httpx.Client, gate: Gate) -> None:
    prediction_id = submit(client, gate.input("a"))
    before = descriptors(server)
    with contextlib.ExitStack() as connections:
        for _ in range(200):
            connection = connections.enter_context(RawConnection(server.url))
            connection.send(f"GET /predict/{prediction_id}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_until(lambda: descriptors(server) >= before + 200)
    wait_until(lambda: descriptors(server) <= before)
    gate.open()
    assert output(client, prediction_id) == "A"


def test_what_was_accepted_runs_although_its_client_hung_up(
    server: ServerProcess, client: httpx.Client, gate: Gate
) -> None:
    submit(client, gate.input("first"))
    gate.wait_for_runs(1)
    with RawConnection(server.url) as connection:
        connection.send(post(body(gate, "kept"), "Idempotency-Key: k"))
        wait_until(lambda: queued(client) == 1)
    gate.open()
    assert predict(client, gate.input("kept"), {"Idempotency-Key": "k"}).json() == "KEPT"
    assert gate.runs() == ["first", "kept"]


def test_an_async_model_is_cancelled_when_its_client_hangs_up(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "asleep.py").write_text(ASLEEP)
    started = tmp_path / "started"
    with client_of(serve("asleep.py:Asleep", "--concurrency", "1")) as client:
        with RawConnection(str(client.base_url)) as connection:
            connection.send(post(json.dumps({"input": str(started)}).encode()))
            wait_until(started.exists)
        wait_until((tmp_path / "started.cancelled").exists)
        wait_until(lambda: 'status="cancelled"' in client.get("/metrics").text)
        started.unlink()
        with RawConnection(str(client.base_url)) as connection:  # its slot is free
            connection.send(post(json.dumps({"input": str(started)}).encode()))
            wait_until(started.exists)


def test_clients_that_hang_up_in_the_middle_of_a_request(
    server: ServerProcess, client: httpx.Client, gate: Gate
) -> None:
    assert client.get("/healthz/live").status_code == 200
    before = descriptors(server)
    whole = post(body(gate, "half"))
    for length in range(0, len(whole), 5):
        with RawConnection(server.url) as connection:
            connection.send(whole[:length])
    wait_until(lambda: descriptors(server) <= before)
    gate.open()
    assert predict(client, gate.input("after")).json() == "AFTER"
    assert gate.runs() == ["after"]


def body(gate: Gate, text: str) -> bytes:
    return json.dumps({"input": gate.input(text)}, separators=(",", ":")).encode()


def descriptors(server: ServerProcess) -> int:
    return psutil.Process(server.pid).num_fds()


def queued(client: httpx.Client) -> int:
    """How many predictions wait, as the metrics say."""
    lines = client.get("/metrics").text.splitlines()
    return sum(
        int(float(line.split()[-1])) for line in lines if line.startswith("zypher_queue_depth{") and "queued" in line
    )
