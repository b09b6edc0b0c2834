"""The usual way to serve a model: FastAPI, the model called inside the handler."""

from fastapi import FastAPI
from pydantic import BaseModel

from bench.models.noop import Noop

app = FastAPI()
_model = Noop()


class Body(BaseModel):
    """What a client sends."""

    input: str


@app.post("/predict")
async def predict(body: Body) -> dict[str, str]:
    return await _model.predict(body.input)
