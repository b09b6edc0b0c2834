"""What a machine asks of the service: is it alive, is it ready, how is it doing."""

from typing import Protocol

from zypher.gateway.gateway import Readiness
from zypher.http.answer import NO_STORE, Answer, error_answer
from zypher.http.request import Request
from zypher.http.routes import Routes, get

_LIVE = Answer(200, b'{"status": "live"}', (NO_STORE,))
_READY = Answer(200, b'{"status": "ready"}', (NO_STORE,))


class Observed(Protocol):
    """Whose health it is: a gateway, or a worker that has none."""

    async def readiness(self) -> Readiness:
        """Whether it can do now what it is for. Never raises."""
        ...

    async def metrics_page(self) -> tuple[bytes, str]:
        """The page that Prometheus scrapes, and its content type. Never raises."""
        ...


def health_routes(observed: Observed, *, exposes: bool) -> Routes:
    """The routes of probes and of Prometheus."""
    health = _Health(observed, exposes)
    return {"/healthz/live": get(health.live), "/healthz/ready": get(health.ready), "/metrics": get(health.metrics)}


class _Health:
    def __init__(self, observed: Observed, exposes: bool) -> None:  # a setting
        self._observed = observed
        self._exposes = exposes

    async def live(self, request: Request) -> Answer:
        """Answer while the event loop turns."""
        return _LIVE

    async def ready(self, request: Request) -> Answer:
        """Answer 200 when a prediction sent now would run, else 503 and why not."""
        readiness = await self._observed.readiness()
        if readiness.ready:
            return _READY
        sentences = [str(problem) if self._exposes else problem.public for problem in readiness.problems]
        return error_answer(503, " ".join(sentences), NO_STORE)

    async def metrics(self, request: Request) -> Answer:
        """Answer with the page that Prometheus scrapes."""
        body, content_type = await self._observed.metrics_page()
        return Answer(200, body, content_type=(b"content-type", content_type.encode()))
