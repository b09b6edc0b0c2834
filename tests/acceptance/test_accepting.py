"""What is accepted while no replica runs, and while the types of a model change."""

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import Machines
from tests.asking import client_of, output, predict, read, submit
from tests.conftest import Serve
from tests.polling import wait_until
from tests.server_process import ServerProcess, WorkerProcess

OLD = """
import time
from pathlib import Path

class Shout:
    "Of texts."
    concurrency = 4
    def predict(self, text: str) -> str:
        while text.startswith("held") and not Path("let_go").exists():
            time.sleep(0.01)
        return text.upper()
"""
NEW = """
class Shout:
    "Of numbers."
    concurrency = 4
    def predict(self, number: int) -> int:
        return -number
"""
DURABLE = ({"Async-Mode": "true"}, {"Prefer": "respond-async"}, {"Idempotency-Key": "k"})


class Workers:
    """Workers of models whose text the test gives."""

    def __init__(self, machines: Machines, processes: ExitStack) -> None:
        self._machines = machines
        self._processes = processes

    def start(self, text: str, name: str, *arguments: str) -> WorkerProcess:
        file = self._machines.folder / f"{name}.py"
        file.write_text(text)
        worker = WorkerProcess(self._machines.folder, f"{file}:Shout", "--engine", self._machines.engine, *arguments)
        return self._processes.enter_context(worker).wait_ready()


@pytest.fixture
def processes() -> ExitStack:
    return ExitStack()


@pytest.fixture
def workers(machines: Machines, processes: ExitStack) -> Workers:
    return Workers(machines, processes)


def readiness(client: httpx.Client) -> tuple[int, int]:
    """To accept, and to run."""
    return client.get("/healthz/ready").status_code, client.get("/healthz/ready?run").status_code


def test_a_known_model_accepts_without_any_worker(machines: Machines, workers: Workers, processes: ExitStack) -> None:
    with processes:
        assert workers.start(OLD, "old").stop() == 0
        with client_of(machines.front()) as client:
            wait_until(lambda: readiness(client) == (200, 503))
            assert client.get("/openapi.json").json()["info"]["title"] == "ZypherAI: Shout"
            assert predict(client, 5, DURABLE[0]).status_code == 422
            accepted = [predict(client, "a", headers) for headers in DURABLE]
            accepted.append(predict(client, "a", {"Prefer": "wait=1"}))
            assert [response.status_code for response in accepted] == [202] * 4
            assert all(int(response.headers["retry-after"]) >= 1 for response in accepted)
            refused = predict(client, "a")
            assert (refused.status_code, "No worker" in refused.text) == (503, True)
            assert int(refused.headers["retry-after"]) >= 1
            workers.start(OLD, "old")
            assert [output(client, response.headers["prediction-id"]) for response in accepted] == ["A"] * 4
            assert predict(client, "a", DURABLE[2]).json() == "A"
            assert readiness(client) == (200, 200)


def test_a_wait_for_a_worker_ends_with_its_output(machines: Machines, workers: Workers, processes: ExitStack) -> None:
    with processes, client_of(machines.front()) as client:
        assert predict(client, "a", {"Prefer": "wait=20"}).status_code == 503
        workers.start(OLD, "old").stop()
        wait_until(lambda: readiness(client) == (200, 503))
        waiting = client.stream("POST", "/predict", json={"input": "a"}, headers={"Prefer": "wait=20"})
        worker = WorkerProcess(machines.folder, f"{machines.folder}/old.py:Shout", "--engine", machines.engine)
        processes.enter_context(worker)
        with waiting as response:
            assert (response.status_code, response.read()) == (200, b'"A"')


@pytest.mark.parametrize("own_name", ["", '    name = "another"\n'])
def test_a_restart_with_a_broken_model_still_accepts(serve: Serve, tmp_path: Path, own_name: str) -> None:
    file = tmp_path / "model.py"
    whole = OLD.replace('    "Of texts."\n', own_name)
    file.write_text(whole)
    assert serve(f"{file}:Shout").stop() == 0
    file.write_text("raise RuntimeError('hunter2')\n")
    with ServerProcess(tmp_path, f"{file}:Shout", "--no-expose-errors") as server, client_of(server) as client:
        wait_until(lambda: "log of its worker" in client.get("/healthz/ready?run").text)
        assert readiness(client) == (200, 503)
        accepted = [submit(client, text) for text in "ab"]
        refused = predict(client, "a")
        assert (refused.status_code, "hunter2" in refused.text) == (503, False)
        assert "hunter2" in server.text()
        file.write_text(whole)
        assert [output(client, each) for each in accepted] == ["A", "B"]
        assert readiness(client) == (200, 200)
        assert server.stop() == 0


def test_a_first_start_with_a_broken_model_ends(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("raise RuntimeError('no')\n")
    with ServerProcess(tmp_path, "model.py:Shout") as server:
        assert server.wait() == 2


def test_two_revisions_run_what_fits_each(machines: Machines, workers: Workers, processes: ExitStack) -> None:
    with processes, client_of(machines.front()) as client:
        workers.start(OLD, "old")
        wait_until(lambda: readiness(client) == (200, 200))
        assert predict(client, 1).status_code == 422
        workers.start(NEW, "new")
        wait_until(lambda: predict(client, 1, DURABLE[0]).status_code == 202)
        inputs: list[str | int] = [*"abcdefghij", *range(10)]
        accepted = [submit(client, input) for input in inputs]
        ended = [output(client, each) for each in accepted]
        assert ended == [input.upper() if isinstance(input, str) else -input for input in inputs]
        assert predict(client, None).status_code == 422


def test_changed_types_roll_out_and_nothing_is_lost(machines: Machines, workers: Workers, processes: ExitStack) -> None:
    with processes, client_of(machines.front()) as client:
        old = workers.start(OLD, "old", "--drain-timeout-s", "30")
        wait_until(lambda: readiness(client) == (200, 200))
        texts = [submit(client, "held") for _ in range(4)]
        texts += [submit(client, text) for text in "ab"]  # wait behind those that are held
        new = workers.start(NEW, "new")
        wait_until(lambda: predict(client, 7, DURABLE[0]).status_code == 202)
        numbers = [submit(client, number) for number in range(5)]
        assert [output(client, each) for each in numbers] == [-number for number in range(5)]
        assert [client.get(f"/predict/{each}").status_code for each in texts] == [400] * 6  # released, not failed
        (machines.folder / "let_go").touch()
        assert [output(client, each) for each in texts] == ["HELD"] * 4 + ["A", "B"]
        assert old.stop() == 0
        wait_until(lambda: predict(client, "a", DURABLE[0]).status_code == 422)
        assert predict(client, 3).json() == -3
        assert new.stop() == 0


def test_what_no_living_revision_takes_fails_with_a_sentence(
    machines: Machines, workers: Workers, processes: ExitStack
) -> None:
    with processes, client_of(machines.front()) as client:
        old = workers.start(OLD, "old", "--drain-timeout-s", "0", "--concurrency", "1")
        wait_until(lambda: readiness(client) == (200, 200))
        accepted = [submit(client, "held"), submit(client, "a")]
        workers.start(NEW, "new")
        assert old.stop() == 0
        for each in accepted:
            failed = read(client, each)
            assert failed.status_code == 422
            assert "types have changed" in failed.json()["error"]
            assert "$.input must be" in failed.json()["error"]
