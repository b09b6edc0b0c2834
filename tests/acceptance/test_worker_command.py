"""`zypher worker`: the worker side alone, from outside."""

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.conftest import Machines
from tests.asking import client_of, output, predict, submit, target
from tests.command import zypher
from tests.gate import Gate
from tests.held import Held
from tests.polling import wait_until


def test_a_worker_runs_what_a_server_accepted(machines: Machines) -> None:
    front, worker = machines.front(), machines.worker("echo.py:Echo")
    with client_of(front.wait_ready()) as client:
        assert predict(client, "abc").json() == {"input": "abc", "result": "3"}
        assert output(client, submit(client, "abcd")) == {"input": "abcd", "result": "4"}
    assert front.children() == []
    assert len(worker.children()) == 1


def test_a_worker_listens_nowhere_and_keeps_nothing(machines: Machines) -> None:
    worker = machines.worker("echo.py:Echo").wait_ready()
    assert not any("url" in record for record in worker.log())
    assert not (machines.folder / ".zypher").exists()


def test_workers_share_the_work(machines: Machines, gate: Gate) -> None:
    front = machines.front()
    for _ in range(2):
        machines.worker("gated.py:Gated", "--concurrency", "1").wait_ready()
    with client_of(front.wait_ready()) as client:
        accepted = [submit(client, gate.input(text)) for text in "abc"]
        gate.wait_for_runs(2)
        assert len(gate.runs()) == 2
        gate.open()
        assert [output(client, each) for each in accepted] == ["A", "B", "C"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_finishes_what_it_runs(machines: Machines, gate: Gate, number: signal.Signals) -> None:
    front, worker = machines.front(), machines.worker("gated.py:Gated", "--concurrency", "1")
    with client_of(front.wait_ready()) as client:
        running = submit(client, gate.input("running"))
        gate.wait_for_runs(1)
        waiting = submit(client, gate.input("waiting"))
        os.killpg(worker.pid, number)
        wait_until(lambda: "draining" in worker.text())
        gate.open()
        assert worker.wait() == 0
        assert output(client, running) == "RUNNING"
        assert gate.runs() == ["running"]
        assert 'zypher_workers{model="Gated"} 0.0' in client.get("/metrics").text
        machines.worker("gated.py:Gated")
        assert output(client, waiting) == "WAITING"


def test_what_does_not_end_in_time_runs_elsewhere(machines: Machines, gate: Gate) -> None:
    front = machines.front()
    first = machines.worker("gated.py:Gated", "--drain-timeout-s", "0", "--max-attempts", "1")
    with client_of(front.wait_ready()) as client:
        prediction_id = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        assert first.stop() == 0
        machines.worker("gated.py:Gated", "--max-attempts", "1")
        gate.wait_for_runs(2)
        gate.open()
        assert output(client, prediction_id) == "A"


def test_a_second_signal_stops_at_once(machines: Machines, gate: Gate) -> None:
    front, worker = machines.front(), machines.worker("gated.py:Gated")
    with client_of(front.wait_ready()) as client:
        prediction_id = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        worker.signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in worker.text())
        worker.signal(signal.SIGTERM)
        assert worker.wait(5) == 130
        assert worker.children() == []
        gate.open()
        machines.worker("gated.py:Gated")
        assert output(client, prediction_id) == "A"


def test_a_worker_that_loads_its_model_stops_at_once(machines: Machines, gate: Gate) -> None:
    worker = machines.worker("heavy.py:Heavy")
    wait_until(lambda: "loading" in worker.text())
    worker.signal(signal.SIGTERM)
    assert worker.wait(5) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([target("echo.py:Echo")], "--engine"),
        ([target("missing.py:Echo"), "--engine", "{engine}"], "missing.py"),
        ([target("echo.py:Echo"), "--engine", "redis://127.0.0.1:1/0"], "127.0.0.1:1"),
        ([target("echo.py:Echo"), "--engine", "gopher://127.0.0.1"], "gopher"),
    ],
)
def test_what_cannot_start_is_one_sentence(machines: Machines, arguments: list[str], words: str) -> None:
    given = [argument.format(engine=machines.engine) for argument in arguments]
    ended = zypher("worker", *given, cwd=machines.folder)
    assert ended.returncode == 2
    sentences = [line for line in ended.stderr.splitlines() if line.startswith("zypher: ")]
    assert len(sentences) == 1
    assert words in sentences[0]
    assert list(Path(machines.folder).glob(".zypher")) == []


def test_a_killed_worker_leaves_nothing_of_its_model(machines: Machines) -> None:
    worker = machines.worker("leaving.py:Leaving")
    held = Held(machines.folder)
    worker.kill()
    held.wait_for_folders_only()
    assert held.left() == []
