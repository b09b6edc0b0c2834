"""What a model started and made is gone when its replica, its server or a check is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.asking import client_of, predict, target
from tests.conftest import Serve
from tests.held import Held
from tests.polling import wait_until
from tests.server_process import ZypherProcess
from zypher.worker import process_group

LEAVING = target("leaving.py:Leaving")
MOST_GUARD_BYTES = 1_572_864


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_replica_leaves_nothing(serve: Serve, number: signal.Signals) -> None:
    server = serve(LEAVING)
    first = Held(server.directory)
    os.kill(first.replica, number)
    first.wait_for_folders_only()
    second = Held(server.directory)
    with client_of(server) as client:
        wait_until(lambda: predict(client, 0).status_code == 200)
    assert server.stop() == 0
    assert second.left() == []


@pytest.mark.parametrize("model", ["Leaving", "LeavingAsync"])
def test_a_killed_server_leaves_nothing(serve: Serve, model: str) -> None:
    server = serve(target(f"leaving.py:{model}"))
    held = Held(server.directory)
    server.kill()
    held.wait_for_folders_only()
    assert held.left() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_check_that_is_ended_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with ZypherProcess(tmp_path, "check", target("leaving.py:LeavingEarly")) as check:
        held = Held(tmp_path)
        check.signal(number)
        if number is signal.SIGKILL:
            assert check.wait() == -number
            held.wait_for_folders_only()
        else:
            assert check.wait() == 128 + number
            assert held.left() == []
            assert (tmp_path / "atexit").exists()
            assert check.text().endswith("zypher: Interrupted.\n")


def test_a_second_signal_ends_a_check_at_once(tmp_path: Path) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import pathlib, time\nclass Stubborn:\n    def setup(self):\n        pathlib.Path('here').touch()\n"
        "        while True:\n            try: time.sleep(600)\n"
        "            except BaseException: pathlib.Path('again').touch()\n"
        "    def predict(self, x: int): return x\n"
    )
    with ZypherProcess(tmp_path, "check", "stubborn.py:Stubborn") as check:
        wait_until((tmp_path / "here").exists)
        check.signal(signal.SIGTERM)
        wait_until((tmp_path / "again").exists)
        check.signal(signal.SIGTERM)
        assert check.wait(2) == 143


def test_a_group_ends_with_the_input_of_its_guard() -> None:
    command = ["sh", "-c", "trap '' TERM; while :; do sleep 600 & sleep 600; done"]
    with subprocess.Popen(command, process_group=0) as group:
        wait_until(lambda: psutil.Process(group.pid).children())
        children = psutil.Process(group.pid).children()
        program = [sys.executable, "-I", "-S", process_group.__file__, str(group.pid)]
        with subprocess.Popen(program, stdin=subprocess.PIPE) as guard:
            assert guard.stdin is not None
            guard.stdin.close()
            assert guard.wait(10) == 0
        assert group.wait(5) == -signal.SIGKILL
    psutil.wait_procs(children, timeout=5)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_a_guard_that_is_killed_is_replaced(serve: Serve) -> None:
    server = serve(LEAVING, "--replica-silence-s", "0.6")
    held = Held(server.directory)
    held.guard.kill()
    wait_until(lambda: "the guard of a replica was killed" in server.text())
    server.kill()
    held.wait_for_folders_only()
    wait_until(lambda: server.children() == [])
    assert not held.guard.is_running()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_under_timeout_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    command = ["timeout", "600", sys.executable, "-m", "zypher", "serve", LEAVING, "--port", "0"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log) as run:
        held = Held(tmp_path)
        os.killpg(run.pid, number)  # `timeout` is in a group of its own, with what it runs
        run.wait(20)
    held.wait_for_folders_only()


def test_a_guard_is_small(serve: Serve) -> None:
    server = serve(LEAVING)
    held = Held(server.directory)
    assert held.guard.memory_full_info().pss < MOST_GUARD_BYTES
    assert server.stop() == 0
