"""The ASGI application: finds the endpoint of a request, sends its answer, records both."""

from collections.abc import Sequence

from zypher.access.budget import Budget
from zypher.access.hosts import Hosts
from zypher.access.origins import Origins
from zypher.clock import Clock
from zypher.disconnect import ClientDisconnected
from zypher.gateway.gateway import Gateway
from zypher.http import swagger
from zypher.http.errors import HttpError, response_to
from zypher.http.health import health_routes
from zypher.http.openapi import Document
from zypher.http.predictions import Predictions
from zypher.http.request import Receive, Request, Scope, Send
from zypher.http.response import CLOSE, Header, Response
from zypher.http.routes import Routes, Table, get
from zypher.settings import HttpSettings
from zypher.telemetry.access_log import AccessLog

_CLIENT_CLOSED_REQUEST = Response(499, b"")  # nginx's status for clients that disconnect, in log and metrics


def prediction_routes(gateway: Gateway, settings: HttpSettings) -> Routes:
    """The table of routes of a service."""
    predictions = Predictions(gateway, settings)
    return {
        "/": get(swagger.index),
        "/predict": {"POST": predictions.post},
        "/predict/{prediction_id}": {**get(predictions.get), "DELETE": predictions.cancel},
        "/predict/{prediction_id}/cancel": {"POST": predictions.cancel},
        "/predictions/{prediction_id}": get(predictions.record),
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
        response = await self._respond(request)
        request.release()
        if response is None:
            response = _CLIENT_CLOSED_REQUEST
            if request.connection is not None:
                request.connection.drop()
        else:
            more = self._origins.headers(request.headers)
            if request.connection is not None:
                await request.connection.respond(response, more)
            else:
                await self._send(request, response, more, send)
        took_s = self._clock.monotonic() - began_s
        sent_bytes = 0 if request.method == "HEAD" else len(response.body)
        self._log.answered(request.method, request.route, response.status, took_s, response.headers, sent_bytes)

    async def _respond(self, request: Request) -> Response | None:
        """None when the client disconnected."""
        try:
            self._check(request)
            if request.method == "OPTIONS" and (allowed := self._origins.preflight(request.headers)) is not None:
                return Response(204, b"", allowed)
            route = self._table.find(request.path)
            request.route = route.path
            return await route.endpoint(request.method)(request)
        except ClientDisconnected:
            return None
        except Exception as error:  # becomes the response; unexpected ones are logged
            return response_to(error, exposes=self._exposes)

    def _check(self, request: Request) -> None:
        """Raise `HttpError` for a request whose headers contradict each other or lead elsewhere."""
        if request.repeated:
            name = request.repeated.decode().title()
            raise HttpError(400, f"The header {name} is repeated; send it once.", CLOSE)
        problem = self._hosts.problem(request.headers.get(b"host"), request.http_version)
        if problem:
            raise HttpError(400, problem, CLOSE)

    async def _send(self, request: Request, response: Response, more: Sequence[Header], send: Send) -> None:
        """Send it on another server, which does not report when it was read."""
        self.budget.take(len(response.body))
        try:
            await send_response(response, send, more, whole=request.method != "HEAD")
        finally:
            self.budget.give_back(len(response.body))


async def send_response(response: Response, send: Send, more: Sequence[Header] = (), *, whole: bool = True) -> None:
    """Send it with more headers, `whole` or only its head, on any server."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.head(more)})
    await send({"type": "http.response.body", "body": response.body if whole else b""})
