"""The usual way to many machines: FastAPI in front of Celery on Redis, tuned to lose nothing when a worker dies.

Run as `uvicorn bench.peers.fastapi_celery:app` and `celery --app bench.peers.fastapi_celery:tasks worker`; the
environment variable PEER_REDIS says where Redis is.
"""

# pyright: basic
# Celery does not state its types.

import os

from celery import Celery
from celery.result import AsyncResult
from fastapi import FastAPI, Response
from pydantic import BaseModel

_REDIS = os.environ["PEER_REDIS"]

app = FastAPI()
tasks = Celery(broker=_REDIS, backend=_REDIS)
tasks.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)


class Body(BaseModel):
    """What a client sends."""

    input: str


@tasks.task(name="predict")
def noop(input: str) -> dict[str, str]:
    return {"input": input, "result": "1234"}


@app.post("/predict", status_code=202)
def predict(body: Body) -> dict[str, str]:
    task = tasks.send_task("predict", (body.input,))
    return {"message": "Request received. Processing asynchronously.", "prediction_id": task.id}


@app.get("/predict/{prediction_id}")
def result(prediction_id: str, response: Response) -> dict[str, object]:
    task = AsyncResult(prediction_id, app=tasks)
    if not task.ready():
        response.status_code = 400
        return {"error": "Prediction is still being processed."}
    return {"prediction_id": prediction_id, "output": task.get()}


@app.get("/healthz/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}
