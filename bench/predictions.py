"""Predictions as a client makes them: in one request, or submitted, polled and read."""

import re
from collections.abc import Generator
from time import perf_counter

from bench.load import Answer, Caller, WrongAnswer, expect, request
from bench.servers import INPUT, OUTPUT

# Asked with `yield from`: the answer, or what is made of it, is the value of the expression.
Asking = Generator[bytes | float, Answer, str]

_PREDICT = request("POST", "/predict", INPUT)
_PREDICTION_ID = re.compile(rb'"prediction_id": ?"([^"]+)"')
_PAUSE_S = 0.005


def predict(for_s: float, output: bytes = OUTPUT) -> Caller:
    """Predict synchronously, again and again until so many seconds have passed."""
    until = perf_counter() + for_s
    while perf_counter() < until:
        body = expect((yield _PREDICT), 200)
        if body != output:
            raise WrongAnswer(f"Another output was expected: {body!r}")


def submission(body: bytes) -> bytes:
    """The request that submits this."""
    return request("POST", "/predict", body, async_mode="true")


_SUBMIT = submission(INPUT)


def submit(asked: bytes = _SUBMIT) -> Asking:
    """Submit a prediction; its id."""
    body = expect((yield asked), 202)
    found = _PREDICTION_ID.search(body)
    if found is None:
        raise WrongAnswer(f"A 202 bears no id: {body!r}")
    return found[1].decode()


def read(prediction_id: str, wait_s: int = 0) -> Caller:
    """Poll until the output of a no-op model is there."""
    ask = request("GET", f"/predict/{prediction_id}?wait={wait_s}" if wait_s else f"/predict/{prediction_id}")
    answer = yield ask
    while answer.status == 400:
        yield _PAUSE_S
        answer = yield ask
    body = expect(answer, 200)
    if OUTPUT not in body.replace(b": ", b":").replace(b", ", b","):
        raise WrongAnswer(f"Another output was expected: {body!r}")
