"""The disk is full while the server serves: what must be stored is refused, the rest goes on, and it recovers."""

import resource
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until
from tests.server_process import ServerProcess


@contextmanager
def full_disk(server: ServerProcess) -> Generator[None]:
    """The disk is full for a while: writing fails, reading goes on."""
    before = fill_disk(server)
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


def fill_disk(server: ServerProcess) -> tuple[int, int]:
    """Let no file of the server grow; the limits until then."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    return before


@pytest.fixture
def server(serve: Serve) -> ServerProcess:
    return serve(target("gated.py:Gated"))


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with client_of(server) as client:
        yield client


def test_submissions_are_refused_with_a_reason_then_accepted(
    server: ServerProcess, client: httpx.Client, gate: Gate
) -> None:
    gate.open()
    kept = submit(client, gate.input("before"))
    assert output(client, kept) == "BEFORE"
    with full_disk(server):
        for headers in ({"Async-Mode": "true"}, {"Idempotency-Key": "k"}):
            refused = predict(client, gate.input("refused"), headers)
            assert refused.status_code == 503, refused.text
            assert "disk" in refused.json()["error"]
            assert int(refused.headers["retry-after"]) >= 1
        assert predict(client, gate.input("sync")).json() == "SYNC"
        assert output(client, kept) == "BEFORE"
        ready = client.get("/healthz/ready")
        assert ready.status_code == 503
        assert "disk" in ready.text
        assert client.get("/healthz/live").status_code == 200
    wait_until(lambda: client.get("/healthz/ready").status_code == 200, within_s=10)
    assert output(client, submit(client, gate.input("after"))) == "AFTER"
    assert "refused" not in gate.runs()


def test_running_work_is_not_lost_and_runs_once(server: ServerProcess, client: httpx.Client, gate: Gate) -> None:
    accepted = [submit(client, gate.input(text)) for text in ("a", "b")]
    gate.wait_for_runs(2)
    with full_disk(server):
        refused = predict(client, gate.input("refused"), {"Async-Mode": "true"})
        assert refused.status_code == 503
        gate.open()
        answers = [client.get(f"/predict/{each}?wait=1") for each in accepted]
        assert {answer.status_code for answer in answers} <= {200, 400}
    began = time.monotonic()
    assert [output(client, each) for each in accepted] == ["A", "B"]
    assert time.monotonic() - began < 10
    assert sorted(gate.runs()) == ["a", "b"]


def test_what_ended_while_the_disk_was_full_survives_a_stop(serve: Serve, gate: Gate) -> None:
    server = serve(target("gated.py:Gated"), "--drain-timeout-s", "0.5")
    with client_of(server) as client:
        accepted = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        fill_disk(server)
        assert predict(client, gate.input("refused"), {"Async-Mode": "true"}).status_code == 503
        gate.open()
    assert server.stop() == 0
    with client_of(serve(target("gated.py:Gated"))) as client:
        assert output(client, accepted) == "A"
