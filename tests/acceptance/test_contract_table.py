"""The users' contract, row by row, word for word."""

import httpx

from tests.asking import ACCEPTED, PENDING, output, predict, read, submit
from tests.gate import Gate
from tests.uvicorn_server import EVERY_SERVER

pytestmark = EVERY_SERVER

SAMPLE = "Sample input data for the model"


def test_a_synchronous_prediction_answers_the_models_own_output(echo: httpx.Client) -> None:
    response = predict(echo, SAMPLE)
    assert response.status_code == 200
    assert response.json() == {"input": SAMPLE, "result": "31"}


def test_an_asynchronous_prediction_answers_its_id_at_once(gated: httpx.Client, gate: Gate) -> None:
    response = predict(gated, gate.input("a"), {"Async-Mode": "true"})
    assert response.status_code == 202
    assert response.json() == {"message": ACCEPTED, "prediction_id": response.headers["prediction-id"]}


def test_a_running_prediction_is_still_being_processed(gated: httpx.Client, gate: Gate) -> None:
    prediction_id = submit(gated, gate.input("a"))
    gate.wait_for_runs(1)
    response = gated.get(f"/predict/{prediction_id}")
    assert response.status_code == 400
    assert response.json() == PENDING


def test_an_unknown_prediction_is_not_found(echo: httpx.Client) -> None:
    response = echo.get("/predict/abc123")
    assert response.status_code == 404
    assert response.json() == {"error": "Prediction ID not found."}


def test_a_prediction_that_succeeded_answers_its_output(echo: httpx.Client) -> None:
    prediction_id = submit(echo, SAMPLE)
    response = read(echo, prediction_id)
    assert response.status_code == 200
    assert response.json() == {"prediction_id": prediction_id, "output": {"input": SAMPLE, "result": "31"}}


def test_a_result_can_be_read_again(echo: httpx.Client) -> None:
    prediction_id = submit(echo, SAMPLE)
    assert read(echo, prediction_id).content == read(echo, prediction_id).content


def test_a_synchronous_prediction_waits_for_its_model(gated: httpx.Client, gate: Gate) -> None:
    gate.open()
    response = predict(gated, gate.input("late"))
    assert response.status_code == 200
    assert response.json() == "LATE"


def test_every_body_is_json(echo: httpx.Client) -> None:
    prediction_id = submit(echo, SAMPLE)
    responses = [
        predict(echo, SAMPLE),
        predict(echo, SAMPLE, {"Async-Mode": "true"}),
        read(echo, prediction_id),
        echo.get("/predict/abc123"),
        predict(echo, 5),
        echo.put("/predict"),
        echo.get("/nowhere"),
    ]
    assert {response.headers["content-type"] for response in responses} == {"application/json"}


def test_text_of_every_script_survives_a_round_trip(echo: httpx.Client) -> None:
    text = 'Zürich 東京 🙂 \u202e"quoted" \\ \n\t\x00 \u2028'
    assert predict(echo, text).json() == {"input": text, "result": str(len(text))}
    assert output(echo, submit(echo, text)) == {"input": text, "result": str(len(text))}


def test_ids_are_short_and_each_is_new(echo: httpx.Client) -> None:
    ids = {submit(echo, "a") for _ in range(50)}
    assert len(ids) == 50
    assert max(len(prediction_id) for prediction_id in ids) <= 36
    assert all(prediction_id.isascii() and prediction_id.isalnum() for prediction_id in ids)
