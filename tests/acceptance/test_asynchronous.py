"""Asking for a 202, being given one, and what its headers say."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.asking import ACCEPTED, PENDING, client_of, output, predict, read, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.uvicorn_server import EVERY_SERVER

pytestmark = EVERY_SERVER


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1", "yes", "YES", "Yes"])
def test_async_mode_on(echo: httpx.Client, value: str) -> None:
    assert predict(echo, "a", {"Async-Mode": value}).status_code == 202


@pytest.mark.parametrize("value", ["false", "False", "0", "no", "NO"])
def test_async_mode_off(echo: httpx.Client, value: str) -> None:
    assert predict(echo, "a", {"Async-Mode": value}).status_code == 200


@pytest.mark.parametrize("value", ["", "maybe", "2", "true, false", "on", "tru\u00e9"])
def test_async_mode_takes_no_other_value(echo: httpx.Client, value: str) -> None:
    response = echo.post("/predict", json={"input": "a"}, headers=[(b"Async-Mode", value.encode())])
    assert response.status_code == 400
    assert "Async-Mode" in response.json()["error"]


def test_a_contradictory_async_mode_is_refused(echo: httpx.Client) -> None:
    response = echo.post("/predict", json={"input": "a"}, headers=[("Async-Mode", "true"), ("Async-Mode", "false")])
    assert response.status_code == 400


@pytest.mark.parametrize(
    "value", ["respond-async", "Respond-Async", "handling=lenient, respond-async", "respond-async;x=1"]
)
def test_a_preference_to_respond_async_is_honoured(echo: httpx.Client, value: str) -> None:
    response = predict(echo, "a", {"Prefer": value})
    assert response.status_code == 202
    assert response.json() == {"message": ACCEPTED, "prediction_id": response.headers["prediction-id"]}
    assert response.headers["preference-applied"] == "respond-async"
    assert output(echo, response.headers["prediction-id"]) == {"input": "a", "result": "1"}


@pytest.mark.parametrize(
    ("value", "applied"), [("wait=1", {"wait=1"}), ("respond-async, wait=1", {"respond-async", "wait=1"})]
)
def test_a_too_short_preferred_wait_ends_in_202(gated: httpx.Client, gate: Gate, value: str, applied: set[str]) -> None:
    began = time.monotonic()
    response = predict(gated, gate.input("a"), {"Prefer": value})
    assert response.status_code == 202
    assert 0.9 <= time.monotonic() - began < 5
    assert set(response.headers["preference-applied"].split(", ")) == applied
    gate.open()
    assert output(gated, response.json()["prediction_id"]) == "A"
    assert gate.runs() == ["a"]


@pytest.mark.parametrize("value", ["wait=20", "respond-async, wait=20", "wait=20, respond-async", 'wait="20"'])
def test_a_long_enough_preferred_wait_ends_in_200(echo: httpx.Client, value: str) -> None:
    response = predict(echo, "a", {"Prefer": value})
    assert response.status_code == 200
    assert response.json() == {"input": "a", "result": "1"}
    assert "wait=20" in response.headers["preference-applied"]


def test_async_mode_and_a_preferred_wait_combine(gated: httpx.Client, gate: Gate) -> None:
    gate.open()
    assert predict(gated, gate.input("a"), {"Async-Mode": "true", "Prefer": "wait=20"}).status_code == 200


def test_preferences_on_two_lines_combine(echo: httpx.Client) -> None:
    response = echo.post("/predict", json={"input": "a"}, headers=[("Prefer", "respond-async"), ("Prefer", "wait=20")])
    assert response.status_code == 200


@pytest.mark.parametrize("value", ["", "wait=soon", "wait=-1", "wait", "return=minimal", ";;,=", "wait=1e999"])
def test_a_preference_that_is_not_understood_is_ignored(echo: httpx.Client, value: str) -> None:
    response = predict(echo, "a", {"Prefer": value})
    assert response.status_code == 200
    assert "preference-applied" not in response.headers


def test_an_answer_without_a_preference_applies_none(echo: httpx.Client) -> None:
    assert "preference-applied" not in predict(echo, "a").headers


def test_the_servers_cap_on_synchronous_waiting_ends_in_a_202(serve: Serve, gate: Gate) -> None:
    with client_of(serve(target("gated.py:Gated"), "--sync-timeout-s", "0.3")) as client:
        response = predict(client, gate.input("a"))
        assert response.status_code == 202
        assert response.json() == {"message": ACCEPTED, "prediction_id": response.headers["prediction-id"]}
        longer = predict(client, gate.input("b"), {"Prefer": "wait=20"})
        assert longer.status_code == 202
        gate.open()
        assert output(client, response.json()["prediction_id"]) == "A"
        assert predict(client, gate.input("c")).status_code == 200


def test_every_response_about_a_prediction_has_its_id(gated: httpx.Client, gate: Gate) -> None:
    prediction_id = submit(gated, gate.input("a"))
    assert gated.get(f"/predict/{prediction_id}").headers["prediction-id"] == prediction_id
    gate.open()
    assert read(gated, prediction_id).headers["prediction-id"] == prediction_id
    assert len(predict(gated, gate.input("b")).headers["prediction-id"]) == len(prediction_id)


def test_a_202_has_location_retry_after_and_queue_position(serve: Serve, gate: Gate) -> None:
    with client_of(serve(target("gated.py:Gated"), "--concurrency", "1")) as client:
        submit(client, gate.input("first"))
        gate.wait_for_runs(1)
        responses = [predict(client, gate.input("next"), {"Async-Mode": "true"}) for _ in range(3)]
        assert [response.headers["queue-position"] for response in responses] == ["1", "2", "3"]
        for response in responses:
            assert response.headers["location"] == f"predict/{response.json()['prediction_id']}"
            assert int(response.headers["retry-after"]) >= 1
        assert client.get(responses[0].headers["location"]).json() == PENDING


def test_a_pending_prediction_has_retry_after(gated: httpx.Client, gate: Gate) -> None:
    response = gated.get(f"/predict/{submit(gated, gate.input('a'))}")
    assert int(response.headers["retry-after"]) >= 1


def test_a_long_poll_answers_as_soon_as_the_prediction_ends(gated: httpx.Client, gate: Gate) -> None:
    prediction_id = submit(gated, gate.input("a"))
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(gated.get, f"/predict/{prediction_id}?wait=20")
        with pytest.raises(TimeoutError):
            response.result(timeout=0.3)
        gate.open()
        assert response.result(timeout=5).json() == {"prediction_id": prediction_id, "output": "A"}


def test_a_long_poll_ends_when_its_time_is_up(gated: httpx.Client, gate: Gate) -> None:
    prediction_id = submit(gated, gate.input("a"))
    began = time.monotonic()
    response = gated.get(f"/predict/{prediction_id}?wait=1")
    assert 0.9 <= time.monotonic() - began < 5
    assert (response.status_code, response.json()) == (400, PENDING)


@pytest.mark.parametrize("wait", ["soon", "-1", "", "nan", "1&wait=2", "%ff"])
def test_a_wait_that_is_no_time_is_refused(echo: httpx.Client, wait: str) -> None:
    response = echo.get(f"/predict/{submit(echo, 'a')}?wait={wait}")
    assert response.status_code in (400, 422)
    assert "wait" in response.json()["error"]


def test_an_unknown_prediction_is_not_waited_for(echo: httpx.Client) -> None:
    began = time.monotonic()
    assert echo.get("/predict/abc123?wait=20").status_code == 404
    assert time.monotonic() - began < 5
