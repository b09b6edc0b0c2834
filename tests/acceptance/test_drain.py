"""How a server stops: what runs is finished, what waits is kept, nothing is lost."""

import contextlib
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until
from tests.raw_http import RawConnection
from tests.server_process import ServerProcess

GATED = target("gated.py:Gated")


def say(server: ServerProcess, number: signal.Signals) -> None:
    """Send a signal as a terminal does: to the server and to its replicas."""
    os.killpg(server.pid, number)


def wait_for_drain(server: ServerProcess) -> None:
    """Return once it refuses new work, or has ended."""
    with client_of(server) as client, contextlib.suppress(httpx.TransportError):
        wait_until(lambda: "stopping" in client.get("/healthz/ready").text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_runs_is_finished_and_answered(serve: Serve, gate: Gate, number: signal.Signals) -> None:
    server = serve(GATED)
    with client_of(server) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(predict, client, gate.input("a"))
        gate.wait_for_runs(1)
        say(server, number)
        wait_for_drain(server)
        assert predict(client, gate.input("b")).status_code == 503
        gate.open()
        assert waiting.result().status_code == 200
        assert waiting.result().json() == "A"
        assert server.wait() == 0
    assert server.children() == []
    assert gate.runs() == ["a"]


def test_an_idle_server_stops_at_once(serve: Serve) -> None:
    server = serve(GATED)
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 0
    assert server.children() == []


def test_signals_without_end_do_not_kill_a_server_that_ends(serve: Serve) -> None:
    server = serve(GATED)
    code = None
    while code is None:
        server.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = server.wait(0.001)
    assert code in (0, 130)


def test_a_server_that_still_loads_its_model_stops_at_once(gate: Gate) -> None:
    with ServerProcess(gate.folder, target("heavy.py:Heavy")) as server:
        assert server.url
        server.signal(signal.SIGTERM)
        assert server.wait(5) == 0
        assert server.children() == []


def test_unfinished_predictions_run_after_the_restart(serve: Serve, gate: Gate) -> None:
    arguments = (GATED, "--concurrency", "1", "--max-attempts", "1")  # what is handed back has not been tried
    server = serve(*arguments, "--drain-timeout-s", "0.2")
    with client_of(server) as client:
        running, waiting = submit(client, gate.input("running")), submit(client, gate.input("waiting"))
        gate.wait_for_runs(1)
    assert server.stop() == 0
    assert server.children() == []
    assert gate.runs() == ["running"]
    gate.open()
    with client_of(serve(*arguments)) as client:
        assert output(client, running) == "RUNNING"
        assert output(client, waiting) == "WAITING"
    assert gate.runs() == ["running", "running", "waiting"]


def test_a_second_signal_stops_at_once_and_loses_nothing(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, "--concurrency", "2")
    with client_of(server) as client:
        accepted = [submit(client, gate.input(f"n{number}")) for number in range(5)]
        gate.wait_for_runs(2)
    say(server, signal.SIGINT)
    wait_for_drain(server)
    say(server, signal.SIGINT)
    assert server.wait(5) == 130
    assert server.children() == []
    gate.open()
    with client_of(serve(GATED)) as client:
        assert [output(client, each) for each in accepted] == [f"N{number}" for number in range(5)]


def test_a_lame_duck_accepts_and_is_not_ready(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, "--lame-duck-s", "600")
    gate.open()
    with client_of(server) as client:
        server.signal(signal.SIGTERM)
        wait_until(lambda: client.get("/healthz/ready").status_code == 503)
        for path in ("/healthz/ready", "/healthz/ready?run"):
            assert client.get(path).json() == {"error": "The server is stopping."}
        assert client.get("/healthz/live").status_code == 200
        answered = predict(client, gate.input("a"))
        assert (answered.json(), answered.headers["connection"]) == ("A", "close")
        assert output(client, submit(client, gate.input("b"))) == "B"
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 130


def test_the_drain_ends_so_long_after_the_signal(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, "--lame-duck-s", "0.25", "--drain-timeout-s", "0.5")
    with client_of(server) as client:
        submit(client, gate.input("a"))
        gate.wait_for_runs(1)
    assert server.stop() == 0
    (draining,) = (record for record in server.log() if record["message"] == "draining")
    assert draining["timeout_s"] == 0.25


def test_a_durable_prediction_that_outlasts_the_drain_is_accepted(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, "--drain-timeout-s", "0.2")
    with client_of(server) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(predict, client, gate.input("a"), {"Idempotency-Key": "key"})
        gate.wait_for_runs(1)
        assert server.stop() == 0
        prediction_id = waiting.result().json()["prediction_id"]
        assert waiting.result().status_code == 202
    gate.open()
    with client_of(serve(GATED)) as client:
        assert output(client, prediction_id) == "A"


def test_a_wait_for_nothing_is_answered(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, "--concurrency", "1", "--drain-timeout-s", "0.2")
    with client_of(server) as client, RawConnection(server.url) as polling, ThreadPoolExecutor(1) as pool:
        prediction_id = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        polling.send(f"GET /predict/{prediction_id}?wait=20 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        waiting = pool.submit(predict, client, gate.input("b"))
        wait_until(lambda: '{model="Gated",state="queued"} 1.0' in client.get("/metrics").text)
        server.signal(signal.SIGTERM)
        assert polling.receive_status() == 400  # as it stands, and when to ask again
        assert waiting.result().status_code == 503
        assert server.wait() == 0
