"""What a model holds ends with its replica."""

import signal

import psutil

from tests.asking import client_of, predict, target
from tests.conftest import Serve
from tests.polling import wait_until

CLOSING = target("closing.py:Closing")


def test_an_idle_model_and_its_child_processes_end(serve: Serve) -> None:
    server = serve(CLOSING)
    with client_of(server) as client:
        pids: dict[str, int] = predict(client, "x").json()

    server.signal(signal.SIGTERM)

    assert server.wait() == 0
    assert (server.directory / "closed.txt").read_text() == str(pids["replica"])
    wait_until(lambda: not psutil.pid_exists(pids["helper"]))


def test_what_a_killed_replica_started_is_gone_too(serve: Serve) -> None:
    server = serve(CLOSING)
    with client_of(server) as client:
        pids: dict[str, int] = predict(client, "x").json()
        psutil.Process(pids["replica"]).kill()

        wait_until(lambda: not psutil.pid_exists(pids["helper"]))
        assert predict(client, "x").json()["replica"] != pids["replica"]
