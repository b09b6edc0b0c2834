"""FastAPI, the model that answers with the length of a text called inside the handler."""

from fastapi import FastAPI
from pydantic import BaseModel

from bench.models.length import Length

app = FastAPI()
_model = Length()


class Body(BaseModel):
    """What a client sends."""

    input: str


@app.post("/predict")
async def predict(body: Body) -> int:
    return await _model.predict(body.input)
