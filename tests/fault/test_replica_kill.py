"""A replica is killed with predictions in it: they run again at once, elsewhere or later."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.asking import client_of, output, predict, read, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until

GATED = target("gated.py:Gated")
PATIENCE_S = 4.0  # from the death to the result


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_replica_costs_seconds(serve: Serve, gate: Gate, number: signal.Signals) -> None:
    server = serve(GATED)
    (replica,) = server.children()
    with client_of(server) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(predict, client, gate.input("sync"))
        accepted = submit(client, gate.input("async"))
        gate.wait_for_runs(2)
        os.kill(replica, number)
        died = time.monotonic()
        gate.open()
        assert (waiting.result().status_code, waiting.result().json()) == (200, "SYNC")
        assert output(client, accepted) == "ASYNC"
        assert time.monotonic() - died < PATIENCE_S
    assert sorted(gate.runs()) == ["async", "async", "sync", "sync"]
    lost = [line for line in server.log() if line["message"] == "attempt lost"]
    assert [line["attempt"] for line in lost] == [1, 1]
    assert all(number.name in str(line["reason"]) for line in lost)
    assert replica not in server.children()


def test_the_other_replica_takes_over(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, "--replicas", "2", "--concurrency", "1")
    wait_until(lambda: len(server.children()) == 2)
    with client_of(server) as client:
        wait_until(lambda: 'zypher_replicas_ready{model="Gated"} 2.0' in client.get("/metrics").text)
        accepted = [submit(client, gate.input(text)) for text in ("a", "b", "c")]
        gate.wait_for_runs(2)
        os.kill(server.children()[0], signal.SIGKILL)
        assert client.get("/healthz/ready?run").status_code == 200
        gate.open()
        assert [output(client, each) for each in accepted] == ["A", "B", "C"]


def test_a_prediction_fails_when_every_attempt_loses_its_replica(serve: Serve, gate: Gate) -> None:
    server = serve(GATED)
    with client_of(server) as client:
        accepted = submit(client, gate.input("a"))
        for attempt in (1, 2, 3):
            gate.wait_for_runs(attempt)
            (replica,) = server.children()
            os.kill(replica, signal.SIGSEGV if attempt == 3 else signal.SIGKILL)
        answer = read(client, accepted)
        assert answer.status_code == 500
        assert "worker_lost" in answer.json()["error"]
        assert "3 times" in answer.json()["error"]
        assert "SIGSEGV" in answer.json()["error"]
        gate.open()
        assert predict(client, gate.input("b")).json() == "B"
    assert gate.runs() == ["a", "a", "a", "b"]


def test_a_stopped_replica_that_is_killed_is_noticed(serve: Serve, gate: Gate) -> None:
    server = serve(GATED)
    (replica,) = server.children()
    with client_of(server) as client:
        accepted = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        os.kill(replica, signal.SIGSTOP)
        assert client.get("/healthz/live").status_code == 200
        os.kill(replica, signal.SIGKILL)
        gate.open()
        assert output(client, accepted) == "A"


def test_poison_does_not_block_later_predictions(serve: Serve) -> None:
    with client_of(serve(target("trouble.py:Trouble"))) as client:
        began = time.monotonic()
        poison = [submit(client, "exit") for _ in range(4)]  # twelve deaths
        assert output(client, submit(client, "well")) == "done"
        assert all("exited with code 3" in read(client, each).json()["error"] for each in poison)
        assert time.monotonic() - began < 20
