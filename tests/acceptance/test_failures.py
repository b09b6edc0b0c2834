"""Whatever a model does, only its own prediction fails."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.asking import client_of, output, predict, read, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until
from tests.server_process import ServerProcess


@pytest.fixture(scope="module")
def trouble_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("trouble"), target("trouble.py:Trouble")) as server:
        yield server.wait_ready()


@pytest.fixture
def trouble(trouble_server: ServerProcess) -> Iterator[httpx.Client]:
    with client_of(trouble_server) as client:
        yield client


FAILURES = [
    ("ValueError", "ValueError: no such colour"),
    ("Unprintable", "Unprintable"),
    ("surrogate", "ValueError: half a pair"),
    ("SystemExit", "SystemExit: 7"),
    ("KeyboardInterrupt", "KeyboardInterrupt"),
    ("BaseException", "BaseException: the root of all"),
    ("GeneratorExit", "GeneratorExit: odd"),
    ("RecursionError", "RecursionError: maximum recursion depth exceeded"),
    ("no such deed", "KeyError: 'no such deed'"),
    ("NaN", "nan"),
    ("infinity", "inf"),
    ("object", "`object`"),
    ("lone surrogate", "`str`"),
    ("numpy NaN", "nan"),
]


@pytest.mark.parametrize(("deed", "words"), FAILURES)
def test_a_failure_has_no_traceback(trouble: httpx.Client, deed: str, words: str) -> None:
    prediction_id = submit(trouble, deed)
    for response in (predict(trouble, deed), read(trouble, prediction_id)):
        assert response.status_code == 500
        assert response.json() == {
            "error": response.json()["error"],
            "prediction_id": response.headers["prediction-id"],
        }
        assert response.json()["error"].startswith("Prediction failed: ")
        assert words in response.json()["error"]
        assert "Traceback" not in response.text
        assert ".py" not in response.text
    assert response.json()["prediction_id"] == prediction_id


@pytest.mark.parametrize("deed", ["NaN", "infinity", "numpy NaN"])
def test_an_output_that_is_not_finite_names_its_type(trouble: httpx.Client, deed: str) -> None:
    assert "float" in predict(trouble, deed).json()["error"]


def test_a_traceback_is_in_the_log_under_the_predictions_id(
    trouble: httpx.Client, trouble_server: ServerProcess
) -> None:
    prediction_id = predict(trouble, "ValueError").headers["prediction-id"]
    (line,) = wait_until(lambda: [line for line in trouble_server.log() if is_warning(line, prediction_id)])
    details = str(line["details"])
    assert "raise error\nValueError: no such colour" in details
    assert "zypher/src" not in details


def is_warning(line: dict[str, object], prediction_id: str) -> bool:
    return line.get("prediction_id") == prediction_id and line["level"] == "warning"


OUTPUTS = [
    ("numpy", {"mean": 0.5, "counts": [0, 1, 2], "flag": True}),
    ("huge", "x" * 8_000_000),
    ("say", "said"),
    ("thread", "still here"),
]


@pytest.mark.parametrize(("deed", "result"), OUTPUTS)
def test_what_a_model_may_do(trouble: httpx.Client, deed: str, result: object) -> None:
    assert predict(trouble, deed).json() == result
    assert output(trouble, submit(trouble, "well")) == "done"


def test_no_failure_costs_a_replica(trouble: httpx.Client, trouble_server: ServerProcess) -> None:
    replicas = trouble_server.children()
    for deed, _ in FAILURES:
        predict(trouble, deed)
    assert trouble_server.children() == replicas


def test_models_that_kill_their_replica_fail_alone(serve: Serve) -> None:
    causes = {"exit": "exited with code 3", "segfault": "SIGSEGV"}
    with client_of(serve(target("trouble.py:Trouble"), "--max-attempts", "2")) as client:
        killers = {deed: submit(client, deed) for deed in causes}
        with ThreadPoolExecutor(7) as pool:
            neighbours = [pool.submit(predict, client, "well") for _ in range(7)]
        assert [each.result().text for each in neighbours] == ['"done"'] * 7
        for deed, prediction_id in killers.items():
            response = read(client, prediction_id)
            assert response.status_code == 500
            assert response.json()["prediction_id"] == prediction_id
            assert response.json()["error"].startswith("Prediction failed: worker_lost: ")
            assert causes[deed] in response.json()["error"]


def test_no_harm_to_a_shared_event_loop_reaches_the_neighbours(serve: Serve, tmp_path: Path) -> None:
    server = serve(target("async_trouble.py:AsyncTrouble"))
    replicas = server.children()
    with client_of(server) as client:
        neighbours = [submit(client, "gate") for _ in range(5)]
        assert "SystemExit: 7" in predict(client, "exit in a task").json()["error"]
        assert "KeyboardInterrupt" in predict(client, "interrupt in a task").json()["error"]
        assert "CancelledError" in predict(client, "be cancelled").json()["error"]
        assert predict(client, "stop the loop").json() == "done"
        (tmp_path / "gate").touch()
        assert [output(client, each) for each in neighbours] == ["done"] * 5
    assert server.children() == replicas


def test_neighbours_of_one_that_kills_their_replica_run_again(serve: Serve, gate: Gate) -> None:
    server = serve(target("poison.py:Poison"))
    with client_of(server) as client:
        neighbours = [submit(client, gate.input(f"n{number}")) for number in range(7)]
        gate.wait_for_runs(7)
        killer = submit(client, gate.input("kill"))
        wait_until(lambda: gate.runs().count("kill") >= 2)
        gate.open()
        assert [output(client, each) for each in neighbours] == [f"N{number}" for number in range(7)]
        failure = read(client, killer)
        assert failure.status_code == 500
        assert "worker_lost" in failure.json()["error"]
        assert "SIGKILL" in failure.json()["error"]
        assert gate.runs().count("kill") == 3
        assert predict(client, gate.input("after")).json() == "AFTER"
