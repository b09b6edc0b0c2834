"""Asynchronous predictions as a client makes them: submitted, polled, read."""

import re
from collections.abc import Generator

from bench.load import Answer, WrongAnswer, expect, request
from bench.servers import INPUT, OUTPUT

# Asked with `yield from`: the answer, or what is made of it, is the value of the expression.
Asking = Generator[bytes | float, Answer, str]
Waiting = Generator[bytes | float, Answer, None]

_SUBMIT = request("POST", "/predict", INPUT, async_mode="true")
_PREDICTION_ID = re.compile(rb'"prediction_id": ?"([^"]+)"')
_PAUSE_S = 0.005


def submit() -> Asking:
    """Submit a prediction; its id."""
    body = expect((yield _SUBMIT), 202)
    found = _PREDICTION_ID.search(body)
    if found is None:
        raise WrongAnswer(f"A 202 bears no id: {body!r}")
    return found[1].decode()


def read(prediction_id: str, wait_s: int = 0) -> Waiting:
    """Poll until the output of a no-op model is there."""
    ask = request("GET", f"/predict/{prediction_id}?wait={wait_s}" if wait_s else f"/predict/{prediction_id}")
    answer = yield ask
    while answer.status == 400:
        yield _PAUSE_S
        answer = yield ask
    body = expect(answer, 200)
    if OUTPUT not in body.replace(b": ", b":").replace(b", ", b","):
        raise WrongAnswer(f"Another output was expected: {body!r}")
