import json

import pytest

from zypher.errors import Draining, EngineUnavailable, NoReplica, OutputError, PredictionNotFound, QueueFull, Refused
from zypher.http.answer import error_body
from zypher.http.problems import answer_to


@pytest.mark.parametrize("kind", [QueueFull, Draining, NoReplica, EngineUnavailable])
def test_what_is_refused_now_may_come_later(kind: type[Refused]) -> None:
    answer = answer_to(kind("Come again.", 17), exposes=True)
    assert (answer.status, answer.headers) == (503, ((b"retry-after", b"17"),))
    assert answer.body == b'{"error": "Come again."}'


def test_an_unknown_prediction_is_not_found() -> None:
    assert answer_to(PredictionNotFound(), exposes=False).status == 404


@pytest.mark.parametrize("error", [OutputError("no JSON"), ZeroDivisionError("secret"), RecursionError()])
def test_what_nobody_foresaw_is_logged_and_not_told(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    answer = answer_to(error, exposes=False)
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert type(error).__name__ in caplog.text


@pytest.mark.parametrize("sentence", ['"', "\\", "\x00", "\ud800", "é", "line\nline"])
def test_any_sentence_can_be_said(sentence: str) -> None:
    said = json.loads(error_body(sentence, more=sentence))
    assert said["error"] == said["more"] == sentence.encode(errors="replace").decode()


def test_a_sentence_is_bounded() -> None:
    assert len(error_body("x" * 1_000_000)) < 10_000
