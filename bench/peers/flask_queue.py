"""The in-memory way to answer 202: Flask, a `queue.Queue`, worker threads, results in a dict.

Nothing is durable: a restart loses what waits and what has ended.
"""

import threading
import uuid
from queue import Queue

from flask import Flask, Response, jsonify, request

WORKER_THREADS = 4

app = Flask(__name__)
_waiting: Queue[tuple[str, str]] = Queue()
_results: dict[str, dict[str, str] | None] = {}


def _noop(input: str) -> dict[str, str]:
    return {"input": input, "result": "1234"}


def _work() -> None:
    while True:
        prediction_id, input = _waiting.get()
        _results[prediction_id] = _noop(input)


for _ in range(WORKER_THREADS):
    threading.Thread(target=_work, daemon=True).start()


@app.post("/predict")
def predict() -> tuple[Response, int]:
    body: dict[str, str] = request.get_json()
    prediction_id = uuid.uuid4().hex
    _results[prediction_id] = None
    _waiting.put((prediction_id, body["input"]))
    message = "Request received. Processing asynchronously."
    return jsonify(message=message, prediction_id=prediction_id), 202


@app.get("/predict/<prediction_id>")
def result(prediction_id: str) -> tuple[Response, int]:
    if prediction_id not in _results:
        return jsonify(error="Prediction ID not found."), 404
    output = _results[prediction_id]
    if output is None:
        return jsonify(error="Prediction is still being processed."), 400
    return jsonify(prediction_id=prediction_id, output=output), 200


@app.get("/healthz/ready")
def ready() -> tuple[Response, int]:
    return jsonify(ready=True), 200
