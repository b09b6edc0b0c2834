"""The ASGI application: finds the endpoint of a request, sends its answer, records both."""

from collections.abc import Sequence

from zypher.access.budget import Budget
from zypher.access.hosts import Hosts
from zypher.access.origins import Origins
from zypher.clock import Clock
from zypher.gateway.gateway import Gateway
from zypher.http import swagger
from zypher.http.answer import CLOSE, Answer, Header
from zypher.http.hangup import HungUp
from zypher.http.health import health_routes
from zypher.http.openapi import Document
from zypher.http.predictions import Predictions
from zypher.http.problems import Problem, answer_to
from zypher.http.request import Receive, Request, Scope, Send
from zypher.http.routes import Routes, Table, get
from zypher.settings import HttpSettings
from zypher.telemetry.access import AccessLog

_NOBODY_WAITS = Answer(499, b"")  # how such requests are counted, as nginx does


def prediction_routes(gateway: Gateway, settings: HttpSettings) -> Routes:
    """The table of routes of a service."""
    predictions = Predictions(gateway, settings)
    return {
        "/": get(swagger.front_door),
        "/predict": {"POST": predictions.post},
        "/predict/{prediction_id}": get(predictions.get),
        **health_routes(gateway, exposes=settings.exposes_errors),
        "/openapi.json": get(Document(gateway).get),
        "/swagger": get(swagger.page),
        "/swagger/{asset}": get(swagger.asset),
    }


class Application:
    """Serves a table of routes, on any ASGI 3 server. It never raises."""

    def __init__(self, routes: Routes, settings: HttpSettings, clock: Clock, log: AccessLog) -> None:
        """Raises `SettingsError`."""
        self.budget = Budget(settings.max_inflight_mb)
        self._table = Table(routes)
        self._hosts = Hosts(settings)
        self._origins = Origins(settings.cors_origin)
        self._exposes = settings.exposes_errors
        self._clock = clock
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close"})  # before it opens: the client sees 403
            return
        began_s = self._clock.monotonic()
        request = Request(scope, receive, self.budget)
        answer = await self._answer(request)
        request.release()
        if answer is None:
            answer = _NOBODY_WAITS
            if request.connection is not None:
                request.connection.drop()
        else:
            more = self._origins.headers(request.headers)
            if request.connection is not None:
                await request.connection.answer(answer, more)
            else:
                await self._send(request, answer, more, send)
        took_s = self._clock.monotonic() - began_s
        sent_bytes = 0 if request.method == "HEAD" else len(answer.body)
        self._log.answered(request.method, request.route, answer.status, took_s, answer.headers, sent_bytes)

    async def _answer(self, request: Request) -> Answer | None:
        """None when nobody waits for an answer."""
        try:
            self._check(request)
            if request.method == "OPTIONS" and (allowed := self._origins.preflight(request.headers)) is not None:
                return Answer(204, b"", allowed)
            route = self._table.find(request.path)
            request.route = route.path
            return await route.endpoint(request.method)(request)
        except HungUp:
            return None
        except Exception as error:  # becomes the answer, and a record in the log when nobody foresaw it
            return answer_to(error, exposes=self._exposes)

    def _check(self, request: Request) -> None:
        """Raise `Problem` for a request whose headers contradict each other or lead elsewhere."""
        if request.repeated:
            name = request.repeated.decode().title()
            raise Problem(400, f"A request bears the header {name} only once; leave the other out.", CLOSE)
        problem = self._hosts.problem(request.headers.get(b"host"), request.http_version)
        if problem:
            raise Problem(400, problem, CLOSE)

    async def _send(self, request: Request, answer: Answer, more: Sequence[Header], send: Send) -> None:
        """Send it on a server that is not ours, which does not say when it was read."""
        self.budget.take(len(answer.body))
        try:
            await send_answer(answer, send, more, whole=request.method != "HEAD")
        finally:
            self.budget.give_back(len(answer.body))


async def send_answer(answer: Answer, send: Send, more: Sequence[Header] = (), *, whole: bool = True) -> None:
    """Send it with more headers, `whole` or only its head, on any server."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.head(more)})
    await send({"type": "http.response.body", "body": answer.body if whole else b""})
