"""Liveness, readiness and metrics."""

from typing import Protocol
from urllib.parse import parse_qs

import msgspec

from zypher.gateway.gateway import Readiness
from zypher.http.request import Request
from zypher.http.response import NO_STORE, Response, error_response
from zypher.http.routes import Routes, get

_LIVE = Response(200, b'{"status": "live"}', (NO_STORE,))
_READY = Response(200, b'{"status": "ready"}', (NO_STORE,))
_WARNED = b'{"status": "ready", "warnings": %s}'


class Monitored(Protocol):
    """What is probed: a gateway, or a worker on its own."""

    async def readiness(self, *, run: bool) -> Readiness:
        """Whether it can accept predictions now; with `run`, whether one that waits now would run. Never raises."""
        ...

    async def metrics_page(self) -> tuple[bytes, str]:
        """The page that Prometheus scrapes, and its content type. Never raises."""
        ...


def health_routes(monitored: Monitored, *, exposes: bool) -> Routes:
    """The routes of probes and of Prometheus."""
    health = _Health(monitored, exposes)
    return {"/healthz/live": get(health.live), "/healthz/ready": get(health.ready), "/metrics": get(health.metrics)}


class _Health:
    def __init__(self, monitored: Monitored, exposes: bool) -> None:  # a setting
        self._monitored = monitored
        self._exposes = exposes

    async def live(self, request: Request) -> Response:
        """Return 200 while the event loop runs."""
        return _LIVE

    async def ready(self, request: Request) -> Response:
        """Return 200 when predictions are accepted, with `?run` when one sent now would run; else 503 and why not.

        A 200 has the engine's warnings, if there are any.
        """
        asked = parse_qs(request.query.decode("latin-1"), keep_blank_values=True)
        readiness = await self._monitored.readiness(run="run" in asked)
        if readiness.ready and readiness.warnings:
            return Response(200, _WARNED % msgspec.json.encode(readiness.warnings), (NO_STORE,))
        if readiness.ready:
            return _READY
        sentences = [str(problem) if self._exposes else problem.public for problem in readiness.problems]
        return error_response(503, " ".join(sentences), NO_STORE)

    async def metrics(self, request: Request) -> Response:
        """Return the page that Prometheus scrapes."""
        body, content_type = await self._monitored.metrics_page()
        return Response(200, body, content_type=(b"content-type", content_type.encode()))
