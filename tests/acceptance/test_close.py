"""What a model holds ends with its replica."""

import ctypes
import os
import signal

import psutil

from tests.asking import client_of, predict, target
from tests.conftest import Serve
from tests.polling import wait_until
from tests.running_replica import StartReplica

CLOSING = target("closing.py:Closing")
PR_SET_CHILD_SUBREAPER = 36


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


async def test_no_zombie_stays_with_the_first_process(start: StartReplica) -> None:
    before = set(psutil.Process().children())
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # as the first process of a container, this one inherits orphans
    try:
        running = await start("""
            import os, subprocess
            class Model:
                def predict(self, x: int):
                    return subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600"]).pid
        """)
        child = await running.run(1)
        assert isinstance(child, int)
        assert running.replica.pid is not None
        wait_until(psutil.Process(child).children)
        os.kill(running.replica.pid, signal.SIGKILL)
        await running.cause()
        assert set(psutil.Process().children()) <= before
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
