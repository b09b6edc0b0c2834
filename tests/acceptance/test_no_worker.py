"""`zypher serve --no-worker`: the HTTP side alone, from outside."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.acceptance.conftest import Machines
from tests.asking import client_of, output, predict, submit, target
from tests.command import zypher
from tests.gate import Gate
from tests.polling import wait_until
from tests.redis_server import RedisServer
from tests.server_process import ServerProcess, WorkerProcess

AT_ONCE_S = 3.0  # on a busy machine


def ready(client: httpx.Client) -> bool:
    return client.get("/healthz/ready?run").status_code == 200


def test_a_server_without_a_worker_waits_for_one(machines: Machines) -> None:
    front = machines.front("no.such:Model")
    with client_of(front) as client:
        assert client.get("/healthz/live").status_code == 200
        assert "No worker" in client.get("/healthz/ready?run").text
        refused = predict(client, "a")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        machines.worker("echo.py:Echo")
        wait_until(lambda: ready(client))
        assert predict(client, "abc").json()["result"] == "3"
    assert front.children() == []
    assert not (machines.folder / ".zypher").exists()


def test_it_validates_and_documents_what_the_worker_announces(machines: Machines) -> None:
    front = machines.front()
    machines.worker("typed.py:of_dataclass")
    with client_of(front.wait_ready()) as client:
        document = client.get("/openapi.json").json()
        assert document["info"]["title"] == "ZypherAI: of_dataclass"
        assert "Point" in document["components"]["schemas"]
        refused = predict(client, {"x": "two", "y": 4})
        assert refused.status_code == 422
        assert "$.input" in refused.json()["error"]
        assert predict(client, {"x": 2, "y": 4}).json() == 8


def test_it_is_not_ready_once_the_only_worker_drains(machines: Machines) -> None:
    worker = machines.worker("echo.py:Echo")
    with client_of(machines.front().wait_ready()) as client:
        assert worker.stop() == 0
        assert not ready(client)
        assert client.get("/healthz/ready").status_code == 200
        assert predict(client, "a").status_code == 503
        machines.worker("echo.py:Echo")
        wait_until(lambda: ready(client))


def test_results_are_read_at_any_server(machines: Machines) -> None:
    machines.worker("echo.py:Echo")
    with client_of(machines.front().wait_ready()) as one, client_of(machines.front().wait_ready()) as other:
        assert output(other, submit(one, "abc")) == {"input": "abc", "result": "3"}


def test_of_several_models_it_serves_the_one_that_is_named(machines: Machines) -> None:
    machines.worker("echo.py:Echo").wait_ready()
    machines.worker("forms.py:shout").wait_ready()
    with client_of(machines.front()) as undecided:
        refused = undecided.get("/healthz/ready?run")
        assert refused.status_code == 503
        assert all(word in refused.text for word in ("Echo", "shout", "--model"))
        assert predict(undecided, "a").status_code == 503
    with client_of(machines.front("--model", "shout").wait_ready()) as client:
        assert predict(client, "abc").json() == "ABC"


def test_a_server_with_a_worker_serves_its_own_model(machines: Machines) -> None:
    machines.worker("echo.py:Echo").wait_ready()
    with (
        ServerProcess(machines.folder, target("forms.py:shout"), "--engine", machines.engine) as whole,
        client_of(whole.wait_ready()) as client,
    ):
        assert predict(client, "abc").json() == "ABC"


def test_a_drain_waits_for_the_answers(machines: Machines, gate: Gate) -> None:
    machines.worker("gated.py:Gated")
    front = machines.front().wait_ready()
    with client_of(front) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(predict, client, gate.input("a"))
        gate.wait_for_runs(1)
        front.signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in client.get("/healthz/ready?run").text)
        assert predict(client, gate.input("b")).status_code == 503
        gate.open()
        assert waiting.result().json() == "A"
        assert front.wait() == 0


def test_a_second_signal_stops_at_once(machines: Machines, gate: Gate) -> None:
    machines.worker("gated.py:Gated")
    front = machines.front().wait_ready()
    with client_of(front) as client:
        accepted = submit(client, gate.input("a"))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(predict, client, gate.input("b"))  # what the drain waits for
            gate.wait_for_runs(2)
            front.signal(signal.SIGTERM)
            wait_until(lambda: "stopping" in client.get("/healthz/ready?run").text)
            front.signal(signal.SIGTERM)
            assert front.wait(5) == 130
    gate.open()
    with client_of(machines.front().wait_ready()) as client:
        assert output(client, accepted) == "A"


def test_while_the_engine_is_away_it_refuses_at_once(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path / "redis") as redis,
        ServerProcess(tmp_path, "--no-worker", "--engine", redis.url) as front,
        WorkerProcess(tmp_path, target("echo.py:Echo"), "--engine", redis.url) as worker,
        client_of(front.wait_ready()) as client,
    ):
        redis.kill()
        wait_until(lambda: not ready(client))
        for headers in ({}, {"Async-Mode": "true"}):
            refused = client.post("/predict", json={"input": "a"}, headers=headers, timeout=AT_ONCE_S)
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert "cannot be reached" in refused.json()["error"]
        assert client.get("/metrics").status_code == 200
        redis.start()
        wait_until(lambda: ready(client))
        assert predict(client, "abc").json()["result"] == "3"
        told = [record["message"] for record in front.log() if "engine" in str(record["message"])]
        assert told == ["the engine is away", "the engine is back"]
        assert worker.stop() == 0
        assert front.stop() == 0


def test_without_an_engine_that_others_reach_it_is_refused(tmp_path: Path) -> None:
    ended = zypher("serve", "--no-worker", cwd=tmp_path)
    assert ended.returncode == 2
    assert "--engine" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / ".zypher").exists()
