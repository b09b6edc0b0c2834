import json

import msgspec
import pytest

from zypher.client import protocol
from zypher.client.protocol import (
    Pending,
    PredictionEnded,
    PredictionNotFound,
    Rejected,
    Response,
    Succeeded,
    Unavailable,
    UnexpectedResponse,
)

OF_ONE = {"prediction-id": "abc123"}
PENDING = b'{"error": "Prediction is still being processed."}'


def problem(status: int, error: str, headers: dict[str, str] | None = None, **more: str) -> Response:
    return Response(status, headers or {}, json.dumps({"error": error, **more}).encode())


def test_what_is_asked() -> None:
    assert json.loads(protocol.submit("text").body) == {"input": "text"}
    assert json.loads(protocol.submit(msgspec.Raw(b"[1, 2]")).body) == {"input": [1, 2]}
    assert protocol.submit(1).headers["Async-Mode"] == "true"
    assert protocol.submit(1).headers["Content-Type"] == "application/json"
    assert "Async-Mode" not in protocol.predict(1).headers
    assert (protocol.predict(1).method, protocol.predict(1).path) == ("POST", "/predict")
    assert (protocol.get("abc", 0).method, protocol.get("abc", 0).path) == ("GET", "/predict/abc")
    assert protocol.get("abc", 5).path == "/predict/abc?wait=5"
    assert protocol.get("a/../b?c", 0).path == "/predict/a%2F..%2Fb%3Fc"


def test_a_synchronous_answer_is_the_output() -> None:
    assert protocol.read_predict(Response(200, OF_ONE, b'{"result": "1"}')) == Succeeded(
        "abc123", msgspec.Raw(b'{"result": "1"}')
    )


def test_a_synchronous_answer_may_be_a_202() -> None:
    headers = OF_ONE | {"queue-position": "3", "retry-after": "12"}
    assert protocol.read_predict(Response(202, headers, b"{}")) == Pending("abc123", 3, 12)


def test_an_accepted_prediction_has_its_location() -> None:
    pending = protocol.read_submit(Response(202, OF_ONE, b"{}"))
    assert pending == Pending("abc123", 0, 1)
    assert pending.location == "/predict/abc123"


def test_a_synchronous_answer_to_a_submission_is_strange() -> None:
    with pytest.raises(UnexpectedResponse):
        protocol.read_submit(Response(200, OF_ONE, b"{}"))


def test_what_became_of_a_prediction() -> None:
    assert protocol.read_get(Response(400, OF_ONE | {"queue-position": "2"}, PENDING)) == Pending("abc123", 2, 1)
    succeeded = protocol.read_get(Response(200, OF_ONE, b'{"prediction_id": "abc123", "output": {"a": 1}}'))
    assert isinstance(succeeded, Succeeded)
    assert succeeded.value == {"a": 1}


def test_a_failed_prediction() -> None:
    response = problem(500, "Prediction failed: ValueError: no.", prediction_id="abc123")
    with pytest.raises(PredictionEnded, match=r"^Prediction failed: ValueError: no\.$") as caught:
        protocol.read_get(response)
    assert (caught.value.prediction_id, caught.value.status) == ("abc123", "failed")


@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_a_prediction_that_ended_otherwise(status: str) -> None:
    with pytest.raises(PredictionEnded) as caught:
        protocol.read_get(problem(410, f"The prediction was {status}.", OF_ONE))
    assert caught.value.status == status


def test_a_refusal_has_retry_after() -> None:
    with pytest.raises(Unavailable) as caught:
        protocol.read_submit(problem(503, "The queue is full.", {"retry-after": "9"}))
    assert caught.value.retry_after_s == 9


def test_an_unknown_id() -> None:
    with pytest.raises(PredictionNotFound):
        protocol.read_get(problem(404, "Prediction ID not found."))


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 422])
def test_rejected_keeps_the_servers_sentence(status: int) -> None:
    with pytest.raises(Rejected, match=r"^\$\.input: must be text\.$") as caught:
        protocol.read_submit(problem(status, "$.input: must be text."))
    assert caught.value.status == status
    if status != 404:
        with pytest.raises(Rejected):
            protocol.read_get(problem(status, "$.input: must be text."))


@pytest.mark.parametrize(
    "response",
    [
        Response(200, {}, b"<html>"),
        Response(200, OF_ONE, b'{"output": 1}'),
        Response(302, {}, b""),
        Response(400, {}, b"Bad Request"),
        Response(400, {}, PENDING),
        Response(502, {}, b"\xff"),
        Response(410, {}, b'{"error": "It was cancelled."}'),
        Response(500, {}, b'{"error": "Something broke."}'),
        Response(500, {}, b"[" * 100_000),
    ],
)
def test_what_no_server_of_ours_answers_is_unexpected(response: Response) -> None:
    with pytest.raises(UnexpectedResponse):
        protocol.read_get(response)
