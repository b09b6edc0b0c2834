"""A service whose worker is the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from tests.fake_clock import FakeClock
from tests.unit.http.memory_engine import MemoryEngine
from zypher.gateway.gateway import Gateway
from zypher.http.app import create_app
from zypher.http.hangup import Hangup
from zypher.http.request import App, Request
from zypher.http.server import HttpServer
from zypher.http.target import split_target
from zypher.settings import HttpSettings
from zypher.telemetry.metrics import Metrics


@dataclass(frozen=True)
class Service:
    """The parts that a test may touch."""

    engine: MemoryEngine
    gateway: Gateway
    app: App


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings() -> HttpSettings:
    """What a test module may override."""
    return HttpSettings(port=0, max_body_bytes=100_000)


@pytest.fixture
def service(clock: FakeClock, settings: HttpSettings) -> Service:
    engine = MemoryEngine(clock)
    gateway = Gateway(engine, clock, Metrics(), model=None)
    return Service(engine, gateway, create_app(gateway, settings))


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the app without a network."""
    async with httpx.AsyncClient(transport=_Direct(service.app), base_url="http://test") as client:
        yield client


class _Direct(httpx.AsyncBaseTransport):
    """Calls the app."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._app(await _as_read(request))
        assert answer is not None
        return httpx.Response(answer.status, headers=[answer.content_type, *answer.headers], content=answer.body)


async def _as_read(request: httpx.Request) -> Request:
    """The request as a connection reads it."""
    headers = {name.lower(): value for name, value in request.headers.raw}
    path, query = split_target(request.url.raw_path)
    read = Request(request.method, path, query, headers, Hangup(), lambda: None)
    read.feed(await request.aread())
    read.end()
    return read


Start = Callable[[App], Awaitable[HttpServer]]


@pytest.fixture
async def start(clock: FakeClock, settings: HttpSettings) -> AsyncIterator[Start]:
    """Starts servers on free ports, which stop when the test ends."""
    async with AsyncExitStack() as servers:

        async def serve(app: App) -> HttpServer:
            server = HttpServer(app, settings, clock)
            server.bind()
            servers.push_async_callback(server.stop, 0)
            await server.start()
            return server

        yield serve


@pytest.fixture
async def server(service: Service, start: Start) -> HttpServer:
    """The service on a free port."""
    return await start(service.app)
