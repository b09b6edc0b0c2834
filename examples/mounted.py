"""An application of one's own with a model in it: uvicorn --app-dir examples mounted:app."""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

import zypher


def shout(text: str) -> str:
    return text.upper()


service = zypher.asgi(f"{__file__}:shout")
app = FastAPI(lifespan=service.lifespan)
app.mount("/ml", service)


@app.middleware("http")
async def say_how_long(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    began_s = time.perf_counter()
    response = await call_next(request)
    response.headers["Server-Timing"] = f"app;dur={(time.perf_counter() - began_s) * 1000:.1f}"
    return response


@app.get("/")
async def home() -> dict[str, str]:
    return {"predict": "/ml/predict"}
