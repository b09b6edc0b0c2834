"""How a test asks a server, and where the models for tests are."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.server_process import ServerProcess

PENDING = {"error": "Prediction is still being processed."}
ACCEPTED = "Request received. Processing asynchronously."

_MODELS = Path(__file__).parent / "models"
_ANSWER_TIMEOUT_S = 30.0


def target(name: str) -> str:
    """The target of a model in tests/models, such as `echo.py:Echo`."""
    return f"{_MODELS}/{name}"


def client_of(server: ServerProcess) -> httpx.Client:
    """A client of this server, to be closed."""
    limits = httpx.Limits(max_connections=1000)
    return httpx.Client(base_url=server.url, timeout=_ANSWER_TIMEOUT_S, limits=limits, trust_env=False, verify=False)


def predict(client: httpx.Client, input: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return client.post("/predict", json={"input": input}, headers=headers)


def submit(client: httpx.Client, input: object) -> str:
    """The id of a prediction that was accepted to be read later."""
    response = predict(client, input, {"Async-Mode": "true"})
    assert response.status_code == 202, response.text
    return str(response.json()["prediction_id"])


def read(client: httpx.Client, prediction_id: str) -> httpx.Response:
    """The answer about a prediction once it has ended."""
    while True:
        response = client.get(f"/predict/{prediction_id}", params={"wait": 5})
        if response.status_code != 400 or response.json() != PENDING:
            return response


def output(client: httpx.Client, prediction_id: str) -> object:
    """The output of a prediction that succeeds."""
    response = read(client, prediction_id)
    assert response.status_code == 200, response.text
    assert response.json()["prediction_id"] == prediction_id
    return response.json()["output"]
