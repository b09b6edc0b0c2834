"""One prediction per Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx

from tests.asking import output, predict
from tests.gate import Gate
from tests.uvicorn_server import EVERY_SERVER

pytestmark = EVERY_SERVER

CALLERS = 20


def test_a_key_in_flight_gives_the_same_prediction(gated: httpx.Client, gate: Gate) -> None:
    headers = {"Idempotency-Key": str(uuid4()), "Async-Mode": "true"}
    first = predict(gated, gate.input("a"), headers)
    gate.wait_for_runs(1)
    again = predict(gated, gate.input("a"), headers)
    assert (again.status_code, again.json()) == (202, first.json())
    gate.open()
    assert output(gated, first.json()["prediction_id"]) == "A"
    assert gate.runs() == ["a"]


def test_a_key_of_a_finished_prediction_gives_its_result(gated: httpx.Client, gate: Gate) -> None:
    gate.open()
    headers = {"Idempotency-Key": str(uuid4())}
    first = predict(gated, gate.input("a"), headers)
    again = predict(gated, gate.input("a"), headers)
    assert (again.status_code, again.json()) == (200, "A")
    assert again.headers["prediction-id"] == first.headers["prediction-id"]
    assert gate.runs() == ["a"]


def test_a_key_first_asynchronous_then_synchronous_is_waited_for(gated: httpx.Client, gate: Gate) -> None:
    key = str(uuid4())
    first = predict(gated, gate.input("a"), {"Idempotency-Key": key, "Async-Mode": "true"})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(predict, gated, gate.input("a"), {"Idempotency-Key": key})
        gate.open()
        assert waiting.result().json() == "A"
        assert waiting.result().headers["prediction-id"] == first.json()["prediction_id"]


def test_a_key_with_another_body_is_refused(echo: httpx.Client) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    assert predict(echo, "a", headers).status_code == 200
    response = predict(echo, "b", headers)
    assert response.status_code == 422
    assert "key" in response.json()["error"]
    assert predict(echo, "b", headers | {"Async-Mode": "true"}).status_code == 422


def test_racing_asynchronous_callers_share_one_prediction(gated: httpx.Client, gate: Gate) -> None:
    headers = {"Idempotency-Key": str(uuid4()), "Async-Mode": "true"}
    with ThreadPoolExecutor(CALLERS) as pool:
        asked = [pool.submit(predict, gated, gate.input("a"), headers) for _ in range(CALLERS)]
    responses = [each.result() for each in asked]
    assert {response.status_code for response in responses} == {202}
    (prediction_id,) = {response.json()["prediction_id"] for response in responses}
    gate.open()
    assert output(gated, prediction_id) == "A"
    assert gate.runs() == ["a"]


def test_racing_synchronous_callers_share_one_prediction(gated: httpx.Client, gate: Gate) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    with ThreadPoolExecutor(CALLERS) as pool:
        waiting = [pool.submit(predict, gated, gate.input("a"), headers) for _ in range(CALLERS)]
        gate.wait_for_runs(1)
        gate.open()
        responses = [each.result() for each in waiting]
    assert {(response.status_code, response.json()) for response in responses} == {(200, "A")}
    assert len({response.headers["prediction-id"] for response in responses}) == 1
    assert gate.runs() == ["a"]


def test_a_keyed_prediction_outlives_a_caller_that_disconnects(gated: httpx.Client, gate: Gate) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    with httpx.Client(base_url=gated.base_url, timeout=0.5, trust_env=False) as impatient:
        try:
            predict(impatient, gate.input("a"), headers)
            raise AssertionError("the gate is closed")
        except httpx.ReadTimeout:
            gate.wait_for_runs(1)
    gate.open()
    assert predict(gated, gate.input("a"), headers).json() == "A"
    assert gate.runs() == ["a"]


def test_two_keys_are_two_predictions(echo: httpx.Client) -> None:
    responses = [predict(echo, "a", {"Idempotency-Key": str(uuid4())}) for _ in range(2)]
    assert responses[0].headers["prediction-id"] != responses[1].headers["prediction-id"]


def test_a_key_that_cannot_be_stored_is_refused(echo: httpx.Client) -> None:
    for key in ("", "k" * 20_000):
        response = predict(echo, "a", {"Idempotency-Key": key})
        assert 400 <= response.status_code < 500, key
        assert response.json()["error"]
