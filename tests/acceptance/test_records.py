"""The record of a prediction, as a caller reads it, whatever engine keeps it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.acceptance.conftest import Machines
from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until


def record(client: httpx.Client, prediction_id: str) -> dict[str, object]:
    response = client.get(f"/predictions/{prediction_id}")
    assert (response.status_code, response.headers["prediction-id"]) == (200, prediction_id)
    assert ("retry-after" in response.headers) == (response.json()["finished_at"] is None)
    return response.json()


def at(found: dict[str, object], name: str) -> datetime:
    """A date of a record."""
    text = str(found[name])
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


def follow(client: httpx.Client, gate: Gate) -> None:
    """The records of three predictions, of which one runs at a time: until the first has an output."""
    first, second, third = (submit(client, gate.input(text)) for text in "abc")
    gate.wait_for_runs(1)
    found = wait_until(lambda: running if (running := record(client, first))["attempt"] else None)
    assert (found["model"], found["status"], found["position"], found["progress"]) == ("Gated", "running", None, None)
    assert at(found, "submitted_at") <= at(found, "started_at") <= datetime.now(UTC)
    waiting = record(client, third)
    assert (waiting["status"], waiting["position"], waiting["started_at"], waiting["attempt"]) == ("queued", 2, None, 0)
    assert record(client, second)["revision"] == found["revision"]
    gate.open()
    assert output(client, first) == "A"
    ended = record(client, first)
    assert (ended["status"], ended["output"], ended["attempt"]) == ("succeeded", "A", 1)
    assert at(ended, "started_at") == at(found, "started_at")
    assert timedelta() < at(ended, "finished_at") - at(ended, "started_at") < timedelta(minutes=1)


@pytest.mark.parametrize("engine", ["embedded", "memory"])
def test_a_record_follows_its_prediction(serve: Serve, gate: Gate, engine: str) -> None:
    server = serve(target("gated.py:Gated"), "--engine", engine, "--concurrency", "1")
    with client_of(server) as client:
        follow(client, gate)


def test_a_record_follows_its_prediction_on_redis(machines: Machines, gate: Gate) -> None:
    machines.worker("gated.py:Gated", "--concurrency", "1").wait_ready()
    with client_of(machines.front()) as client:
        wait_until(lambda: client.get("/healthz/ready").status_code == 200)
        follow(client, gate)


def test_a_record_names_a_model_without_worker(serve: Serve, gate: Gate) -> None:
    first = serve(target("gated.py:Gated"), "--concurrency", "1", "--drain-timeout-s", "0")
    with client_of(first) as client:
        running, waiting = (submit(client, gate.input(text)) for text in "ab")
        gate.wait_for_runs(1)
        assert first.stop() == 0
    with client_of(serve(target("echo.py:Echo"))) as client:
        for prediction_id in (running, waiting):
            found = record(client, prediction_id)
            assert (found["model"], found["status"], found["started_at"]) == ("Gated", "queued", None)


def test_a_failure_has_its_kind(serve: Serve) -> None:
    with client_of(serve(target("trouble.py:Trouble"), "--engine", "memory")) as client:
        failed = predict(client, "ValueError", {"Idempotency-Key": "k"})
        found = record(client, failed.headers["prediction-id"])
        assert (found["status"], found["error"], found["kind"]) == ("failed", failed.json()["error"], "model_error")


def test_an_unknown_record_is_not_found(serve: Serve) -> None:
    with client_of(serve(target("echo.py:Echo"), "--engine", "memory")) as client:
        for prediction_id in ("abc123", "0" * 28):
            response = client.get(f"/predictions/{prediction_id}")
            assert (response.status_code, response.json()) == (404, {"error": "Prediction ID not found."})
