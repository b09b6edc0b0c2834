"""A healthy prediction runs once, however long it takes and however long the server is held up."""

import signal
import time

from tests.asking import client_of, output, submit, target
from tests.conftest import Serve
from tests.gate import Gate

GATED = target("gated.py:Gated")
SEVERAL_LEASES_S = 2.0
LEASE = ("--lease-s", "0.5")


def test_a_prediction_that_takes_longer_than_its_lease_runs_once(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, *LEASE)
    with client_of(server) as client:
        accepted = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        time.sleep(SEVERAL_LEASES_S)  # the time itself is what is tested
        gate.open()

        assert output(client, accepted) == "A"
    assert gate.runs() == ["a"]
    assert "lease" not in server.text()


def test_a_sigstopped_server_keeps_its_leases(serve: Serve, gate: Gate) -> None:
    server = serve(GATED, *LEASE)
    with client_of(server) as client:
        accepted = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        server.signal(signal.SIGSTOP)
        time.sleep(SEVERAL_LEASES_S)
        server.signal(signal.SIGCONT)
        client.get("/healthz/live").raise_for_status()
        gate.open()

        assert output(client, accepted) == "A"
    assert gate.runs() == ["a"]
