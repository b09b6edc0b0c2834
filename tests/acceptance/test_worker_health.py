"""What a worker with `--health-port` answers for itself."""

import contextlib
import signal
from collections.abc import Generator

import httpx

from tests.acceptance.conftest import Machines
from tests.asking import client_of, output, predict, submit
from tests.gate import Gate
from tests.polling import wait_until
from tests.redis_server import RedisServer
from tests.server_process import WorkerProcess


@contextlib.contextmanager
def probe_of(worker: WorkerProcess) -> Generator[httpx.Client]:
    """A client of the worker's health, once it is ready."""
    url = wait_until(lambda: next((str(record["url"]) for record in worker.log() if "url" in record), None))
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as probe:
        wait_until(lambda: ready(probe) == 200)
        yield probe


def ready(probe: httpx.Client) -> int:
    return probe.get("/healthz/ready?run").status_code


def test_it_is_live_and_ready_and_serves_no_prediction(machines: Machines) -> None:
    with probe_of(machines.worker("echo.py:Echo", "--health-port", "0")) as probe:
        assert probe.get("/healthz/live").json() == {"status": "live"}
        assert probe.get("/healthz/ready?run").json() == {"status": "ready"}
        assert probe.post("/predict", json={"input": "abc"}).status_code == 404


def test_it_counts_what_this_worker_ran(machines: Machines) -> None:
    front, worker = machines.front(), machines.worker("echo.py:Echo", "--health-port", "0")
    with probe_of(worker) as probe, client_of(front.wait_ready()) as client:
        assert predict(client, "abc").status_code == 200
        settled = 'zypher_predictions_settled_total{model="Echo",status="succeeded"} 1.0'
        wait_until(lambda: settled in probe.get("/metrics").text)


def test_it_is_not_ready_while_it_loads_its_model(machines: Machines, gate: Gate) -> None:
    worker = machines.worker("heavy.py:Heavy", "--health-port", "0")
    url = wait_until(lambda: next((str(record["url"]) for record in worker.log() if "url" in record), None))
    worker.wait_until(lambda: worker.children() != [], "start its replica")
    response = httpx.get(f"{url}/healthz/ready?run", trust_env=False)
    assert (response.status_code, response.json()) == (503, {"error": "No replica has loaded the model yet."})
    assert httpx.get(f"{url}/healthz/live", trust_env=False).status_code == 200


def test_it_is_not_ready_while_it_drains(machines: Machines, gate: Gate) -> None:
    front, worker = machines.front(), machines.worker("gated.py:Gated", "--health-port", "0")
    with probe_of(worker) as probe, client_of(front.wait_ready()) as client:
        prediction_id = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        worker.signal(signal.SIGTERM)
        wait_until(lambda: ready(probe) == 503)
        assert probe.get("/healthz/ready?run").json() == {"error": "The worker is stopping."}
        gate.open()
        assert output(client, prediction_id) == "A"
    assert worker.wait() == 0


def test_it_is_not_ready_while_redis_is_away(machines: Machines, redis_server: RedisServer) -> None:
    with probe_of(machines.worker("echo.py:Echo", "--health-port", "0")) as probe:
        with redis_server.frozen():
            wait_until(lambda: ready(probe) == 503)
        wait_until(lambda: ready(probe) == 200)
