import json

import pytest

from zypher.errors import (
    Draining,
    EngineUnavailable,
    NoReplica,
    OutputError,
    PredictionNotFound,
    QueueFull,
    Unavailable,
)
from zypher.http.errors import response_to
from zypher.http.response import error_body


@pytest.mark.parametrize("kind", [QueueFull, Draining, NoReplica, EngineUnavailable])
def test_a_503_has_retry_after(kind: type[Unavailable]) -> None:
    response = response_to(kind("Come again.", 17), exposes=True)
    assert (response.status, response.headers) == (503, ((b"retry-after", b"17"),))
    assert response.body == b'{"error": "Come again."}'


def test_an_unknown_prediction_is_not_found() -> None:
    assert response_to(PredictionNotFound(), exposes=False).status == 404


@pytest.mark.parametrize("error", [OutputError("no JSON"), ZeroDivisionError("secret"), RecursionError()])
def test_an_unexpected_error_is_logged_and_hidden(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    response = response_to(error, exposes=False)
    assert response.status == 500
    assert b"secret" not in response.body
    assert type(error).__name__ in caplog.text


@pytest.mark.parametrize("sentence", ['"', "\\", "\x00", "\ud800", "é", "line\nline"])
def test_any_sentence_can_be_encoded(sentence: str) -> None:
    said = json.loads(error_body(sentence, more=sentence))
    assert said["error"] == said["more"] == sentence.encode(errors="replace").decode()


def test_a_sentence_is_bounded() -> None:
    assert len(error_body("x" * 1_000_000)) < 10_000
