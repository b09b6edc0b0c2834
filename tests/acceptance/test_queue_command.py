"""`zypher queue`: what an operator sees and does, on every engine."""

import json
import re
import signal
import stat
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
import pytest

from tests.acceptance.conftest import Machines
from tests.asking import client_of, submit, target
from tests.command import zypher
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until
from tests.redis_server import RedisServer
from tests.terminal import IN_FOREGROUND, Terminal

POISON = "poison.py:Poison"


@dataclass(frozen=True)
class Place:
    """A service that runs one prediction at a time, and the flags by which an operator finds it."""

    client: httpx.Client
    flags: tuple[str, ...]
    folder: Path

    def queue(self, *arguments: str) -> str:
        """What `zypher queue` prints."""
        ended = self.run(*arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return zypher("queue", *arguments, *self.flags, cwd=self.folder)

    def records(self, *arguments: str) -> list[dict[str, object]]:
        return cast("list[dict[str, object]]", json.loads(self.queue(*arguments, "--json")))

    def bury(self, gate: Gate) -> str:
        """The id of a new dead letter."""
        prediction_id = submit(self.client, gate.input("kill"))
        wait_until(lambda: self.client.get(f"/predict/{prediction_id}").status_code == 500)
        return prediction_id


@pytest.fixture(params=["embedded", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer | None) -> Iterator[Place]:
    arguments = ("--concurrency", "1", "--max-attempts", "1")
    if request.param == "embedded":
        serve: Serve = request.getfixturevalue("serve")
        with client_of(serve(target(POISON), *arguments)) as client:
            yield Place(client, (), tmp_path)
    else:
        machines: Machines = request.getfixturevalue("machines")
        machines.worker(POISON, *arguments)
        with client_of(machines.front().wait_ready()) as client:
            yield Place(client, ("--engine", machines.engine), tmp_path)


def test_the_table_shows_queues_and_workers(place: Place, gate: Gate) -> None:
    for text in "abc":
        submit(place.client, gate.input(text))
    gate.wait_for_runs(1)
    lines = [line.split() for line in place.queue().splitlines() if line]
    assert lines[0] == ["MODEL", "QUEUED", "RUNNING", "DELAYED", "DEAD", "OLDEST", "RUNTIME"]
    assert lines[1][:5] == ["Poison", "2", "1", "0", "0"]
    assert lines[2] == ["WORKER", "MODEL", "STATE", "REPLICAS", "SLOTS", "SEEN"]
    assert lines[3][1:5] == ["Poison", "ready", "1/1", "1"]
    gate.open()


def test_the_same_as_json_and_in_the_metrics(place: Place, gate: Gate) -> None:
    place.bury(gate)
    wait_until(lambda: place.client.get("/healthz/ready?run").status_code == 200)
    for text in "ab":
        submit(place.client, gate.input(text))
    gate.wait_for_runs(2)
    (queue,) = place.records()
    assert {name: queue[name] for name in ("model", "queued", "running", "delayed", "dead")} == {
        "model": "Poison",
        "queued": 1,
        "running": 1,
        "delayed": 0,
        "dead": 1,
    }
    (worker,) = cast("list[dict[str, object]]", queue["workers"])
    assert (worker["slots"], worker["ready_replicas"]) == (1, 1)
    assert 0 <= cast("float", worker["silent_s"]) < 30
    metrics = place.client.get("/metrics").text
    for state, count in (("queued", 1.0), ("running", 1.0), ("delayed", 0.0), ("dead", 1.0)):
        assert f'zypher_queue_depth{{model="Poison",state="{state}"}} {count}\n' in metrics
    assert 'zypher_workers{model="Poison"} 1.0\n' in metrics
    assert re.search(r'zypher_queue_oldest_seconds\{model="Poison"\} \d+\.\d', metrics)
    gate.open()


def test_dead_letters_are_listed_shown_and_purged(place: Place, gate: Gate) -> None:
    assert place.queue("dead") == "There are no dead letters.\n"
    first, second = place.bury(gate), place.bury(gate)
    assert [record["prediction_id"] for record in place.records("dead")] == [first, second]
    assert [record["prediction_id"] for record in place.records("dead", "list", "Poison")] == [first, second]
    assert place.records("dead", "list", "Another") == []
    (line,) = [line for line in place.queue("dead").splitlines() if first in line]
    assert "SIGKILL" in line
    shown = place.queue("dead", "show", first)
    assert all(word in shown for word in (first, "Poison", "SIGKILL"))
    assert place.queue("dead", "purge", first) == "1 prediction forgotten.\n"
    assert place.client.get(f"/predict/{first}").status_code == 404
    assert [record["prediction_id"] for record in place.records("dead")] == [second]
    for deed in ("show", "replay", "purge"):
        refused = place.run("dead", deed, first)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == f"zypher: {first} is no dead letter; `zypher queue dead` lists them.\n"


def test_a_replayed_dead_letter_runs_again(place: Place, gate: Gate) -> None:
    prediction_id = place.bury(gate)
    assert place.queue("dead", "replay", prediction_id) == "1 prediction queued again.\n"
    gate.wait_for_runs(2)
    wait_until(lambda: place.client.get(f"/predict/{prediction_id}").status_code == 500)
    assert [record["prediction_id"] for record in place.records("dead")] == [prediction_id]
    assert gate.runs() == ["kill", "kill"]


def test_all_dead_letters_at_once(place: Place, gate: Gate) -> None:
    for _ in range(2):
        place.bury(gate)
    assert place.queue("dead", "replay", "--all") == "2 predictions queued again.\n"
    wait_until(lambda: len(place.records("dead")) == 2)
    assert len(gate.runs()) == 4
    assert place.queue("dead", "purge", "--all") == "2 predictions forgotten.\n"
    assert place.records("dead") == []
    assert place.queue("dead", "purge", "--all") == "0 predictions forgotten.\n"


def test_only_the_owner_can_open_the_operator_socket(serve: Serve, tmp_path: Path) -> None:
    serve(target("echo.py:Echo"))
    mode = (tmp_path / ".zypher" / "operations.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_what_a_stopped_server_left_is_shown_too(serve: Serve, gate: Gate, tmp_path: Path) -> None:
    server = serve(target(POISON), "--max-attempts", "1")
    with client_of(server) as client:
        place = Place(client, (), tmp_path)
        prediction_id = place.bury(gate)
    assert server.stop() == 0
    assert not (tmp_path / ".zypher" / "operations.sock").exists()
    assert "Poison" in place.queue()
    assert [record["prediction_id"] for record in place.records("dead")] == [prediction_id]
    assert place.queue("dead", "purge", prediction_id) == "1 prediction forgotten.\n"


def test_a_killed_server_is_not_in_the_way(serve: Serve, tmp_path: Path) -> None:
    server = serve(target("echo.py:Echo"))
    with client_of(server) as client:
        submit(client, "a")  # once it is accepted, its model is known for good
    server.kill()
    assert (tmp_path / ".zypher" / "operations.sock").exists()
    place = Place(httpx.Client(), (), tmp_path)
    place.client.close()
    assert [record["workers"] for record in place.records()] == [[]]
    serve(target("echo.py:Echo"))
    assert [record["model"] for record in place.records()] == ["Echo"]


def test_where_nothing_is_nothing_is_made(tmp_path: Path) -> None:
    ended = zypher("queue", cwd=tmp_path)
    assert ended.returncode == 2
    assert "--data-dir" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_the_table_lives_until_it_is_interrupted(serve: Serve, tmp_path: Path) -> None:
    serve(target("echo.py:Echo"))
    command = [sys.executable, "-P", "-m", "zypher", "queue"]
    with (
        Terminal() as terminal,
        subprocess.Popen(command, cwd=tmp_path, stdout=terminal.theirs, stderr=subprocess.PIPE) as process,
    ):
        terminal.hand_over()
        assert "Echo" in terminal.read_until(r"\x1b\[\d+A")  # drawn once more, in place
        process.send_signal(signal.SIGINT)
        assert process.communicate() == (None, b"")
    assert process.returncode == 0


def test_q_ends_the_table_and_gives_the_terminal_back(serve: Serve, tmp_path: Path) -> None:
    serve(target("echo.py:Echo"))
    command = [*IN_FOREGROUND, "-P", "-m", "zypher", "queue"]
    with Terminal() as terminal:
        before = termios.tcgetattr(terminal.theirs)
        end = terminal.theirs
        with subprocess.Popen(command, cwd=tmp_path, stdin=end, stdout=end, start_new_session=True) as process:
            terminal.read_until("q ends this")
            terminal.press("x")
            terminal.read_until(r"\x1b\[\d+A")  # drawn once more, in place
            terminal.press("q")
            assert process.wait(20) == 0
        assert termios.tcgetattr(terminal.theirs) == before


def test_an_unavailable_engine_is_shown_instead_of_the_table(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as redis, Terminal() as terminal:
        command = [sys.executable, "-P", "-m", "zypher", "queue", "--engine", redis.url]
        with subprocess.Popen(command, cwd=tmp_path, stdout=terminal.theirs, stderr=subprocess.PIPE) as process:
            terminal.hand_over()
            terminal.read_until("no prediction waits")
            redis.kill()
            terminal.read_until("cannot be reached")
            process.send_signal(signal.SIGINT)
            assert process.communicate() == (None, b"")
        assert process.returncode == 0


def test_a_model_is_forgotten_once_no_worker_serves_it(machines: Machines) -> None:
    worker = machines.worker("echo.py:Echo").wait_ready()
    with client_of(machines.front()) as client:
        place = Place(client, ("--engine", machines.engine), machines.folder)
        refused = place.run("forget", "Echo")
        assert (refused.returncode, refused.stderr) == (1, "zypher: Echo is served by 1 worker; stop it first.\n")
        assert worker.stop() == 0
        assert place.queue("forget", "Echo").startswith("Echo is forgotten;")
        assert place.records() == []
        assert place.run("forget", "Echo").stderr == "zypher: No model Echo is known; `zypher queue` lists them.\n"
        wait_until(lambda: client.get("/healthz/ready").status_code == 503)


def test_a_model_is_forgotten_through_a_running_server(serve: Serve, tmp_path: Path) -> None:
    server = serve(target("echo.py:Echo"))
    place = Place(httpx.Client(), (), tmp_path)
    place.client.close()
    assert place.run("forget", "Echo").stderr == "zypher: Echo is served by 1 worker; stop it first.\n"
    assert "No model Another is known" in place.run("forget", "Another").stderr
    assert server.stop() == 0
    assert json.loads(place.queue("forget", "Echo", "--json")) == ["Echo"]


def test_forgetting_a_renamed_model_cancels_what_waits(serve: Serve, gate: Gate, tmp_path: Path) -> None:
    before = serve(target("gated.py:Gated"), "--concurrency", "1")
    with client_of(before) as client:
        ids = [submit(client, gate.input(text)) for text in ("a", "b")]
    before.kill()
    with client_of(serve(target("echo.py:Echo"))) as client:
        place = Place(client, (), tmp_path)
        waiting = [client.get(f"/predict/{each}") for each in ids]
        assert [each.status_code for each in waiting] == [400, 400]
        assert [int(each.headers["retry-after"]) for each in waiting] == [5, 5]
        assert place.queue("forget", "Gated").startswith("Gated is forgotten;")
        assert [client.get(f"/predict/{each}").status_code for each in ids] == [410, 410]
        assert [record["model"] for record in place.records()] == ["Echo"]
