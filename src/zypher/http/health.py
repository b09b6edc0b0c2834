"""What a machine asks of the service: is it alive, is it ready, how is it doing."""

from zypher.gateway.gateway import Gateway
from zypher.http.answer import Answer, error_answer
from zypher.http.request import Request

_LIVE = Answer(200, b'{"status": "live"}', ((b"cache-control", b"no-store"),))
_READY = Answer(200, b'{"status": "ready"}', ((b"cache-control", b"no-store"),))


class Health:
    """The routes of probes and of Prometheus."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def live(self, request: Request) -> Answer:
        """Answer while the event loop turns."""
        return _LIVE

    async def ready(self, request: Request) -> Answer:
        """Answer 200 when a prediction sent now would run, else 503 and why not."""
        readiness = await self._gateway.readiness()
        if readiness.ready:
            return _READY
        return error_answer(503, " ".join(readiness.problems), (b"cache-control", b"no-store"))

    async def metrics(self, request: Request) -> Answer:
        """Answer with the page that Prometheus scrapes."""
        body, content_type = await self._gateway.metrics_page()
        return Answer(200, body, content_type=(b"content-type", content_type.encode()))
