"""What a supervisor and a monitor read."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.asking import client_of, output, predict, submit, target
from tests.gate import Gate
from tests.polling import wait_until
from tests.server_process import ServerProcess
from tests.uvicorn_server import EVERY_SERVER

pytestmark = EVERY_SERVER


def figure(client: httpx.Client, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return sum(
        sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_a_server_that_serves_is_live_and_ready(echo: httpx.Client) -> None:
    for path in ("/healthz/live", "/healthz/ready", "/healthz/ready?run"):
        response = echo.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"


def test_a_server_that_is_loading_is_live_but_not_ready(gate: Gate) -> None:
    with ServerProcess(gate.folder, target("heavy.py:Heavy")) as server, client_of(server) as client:
        assert client.get("/healthz/live").status_code == 200
        ready = client.get("/healthz/ready?run")
        assert ready.status_code == 503
        assert "loaded" in ready.text
        refused = predict(client, "a")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/openapi.json").status_code in (200, 503)
        gate.open()
        wait_until(lambda: client.get("/healthz/ready?run").status_code == 200)
        assert predict(client, "a").json() == "a"


def test_metrics_count_what_ended(echo: httpx.Client) -> None:
    settled = figure(echo, "zypher_predictions_settled_total", status="succeeded")
    predict(echo, "a")
    output(echo, submit(echo, "b"))
    assert figure(echo, "zypher_predictions_settled_total", status="succeeded") == settled + 2


def test_metrics_count_what_was_submitted_and_how(echo: httpx.Client) -> None:
    lasting = figure(echo, "zypher_predictions_submitted_total", durable="true")
    passing = figure(echo, "zypher_predictions_submitted_total", durable="false")
    submit(echo, "a")
    predict(echo, "a")
    predict(echo, "a")
    assert figure(echo, "zypher_predictions_submitted_total", durable="true") == lasting + 1
    assert figure(echo, "zypher_predictions_submitted_total", durable="false") == passing + 2


def test_metrics_show_what_runs_now(gated: httpx.Client, gate: Gate) -> None:
    wait_until(lambda: figure(gated, "zypher_queue_depth") == 0)
    for text in "abc":
        submit(gated, gate.input(text))
    gate.wait_for_runs(3)
    assert figure(gated, "zypher_queue_depth", state="running") == 3
    assert figure(gated, "zypher_replicas_ready") == 1
    assert figure(gated, "zypher_slots") == 100
    gate.open()
    wait_until(lambda: figure(gated, "zypher_queue_depth") == 0)


def test_a_replica_that_does_not_answer_is_named(gate: Gate) -> None:
    server = ServerProcess(
        gate.folder, target("holding.py:Holding"), "--replica-silence-s", "0.6", "--no-expose-errors"
    )
    with server.wait_ready(), client_of(server) as client:
        held = submit(client, {"held_s": 3, "slept_s": 0, "folder": str(gate.folder)})
        wait_until(lambda: client.get("/healthz/ready?run").status_code == 503)
        assert client.get("/healthz/ready").status_code == 200
        public = client.get("/healthz/ready?run").json()["error"]
        assert public == "No replica is ready. A replica does not answer; the log of its worker says which."
        assert figure(client, "zypher_replicas_stuck") == 1
        (record,) = [each for each in server.log() if each["message"] == "a replica is stuck"]
        assert record["predictions"] == held
        wait_until(lambda: client.get("/healthz/ready?run").status_code == 200)
        assert output(client, held) == "done"
