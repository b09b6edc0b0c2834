"""A service whose worker is the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from tests.fake_clock import FakeClock
from tests.unit.http.memory_engine import MemoryEngine
from zypher.gateway.gateway import Gateway
from zypher.http.app import Application, prediction_app
from zypher.http.budget import Budget
from zypher.http.request import Endpoint
from zypher.http.server import HttpServer
from zypher.service.sockets import Address, forget, listen
from zypher.settings import HttpSettings
from zypher.telemetry.access import Access, AccessLog
from zypher.telemetry.metrics import Metrics


@dataclass(frozen=True)
class Service:
    """The parts that a test may touch."""

    engine: MemoryEngine
    gateway: Gateway
    app: Application
    accesses: list[Access]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings() -> HttpSettings:
    """What a test module may override."""
    return HttpSettings(port=0, max_body_bytes=100_000)


@pytest.fixture
def service(clock: FakeClock, settings: HttpSettings) -> Service:
    engine, metrics = MemoryEngine(clock), Metrics()
    gateway = Gateway(engine, clock, metrics, model=None)
    accesses: list[Access] = []
    app = prediction_app(gateway, settings, clock, AccessLog(metrics, accesses.extend))
    return Service(engine, gateway, app, accesses)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the application without a network, as any ASGI server does."""
    transport = httpx.ASGITransport(service.app)  # pyright: ignore[reportArgumentType]  # its scope is a mutable mapping
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def app_of(endpoint: Endpoint, settings: HttpSettings, clock: FakeClock) -> Application:
    """An application whose every page is this."""
    methods = {"GET": endpoint, "HEAD": endpoint, "POST": endpoint}
    routes = {"/predict": methods, "/healthz/live": methods, "/{page}": methods}
    return Application(routes, settings, clock, AccessLog(Metrics(), None), Budget(settings.max_inflight_mb))


_ANYWHERE = Address("127.0.0.1")


class Served(HttpServer):
    """A server on a free port."""

    def __init__(self, app: Application, settings: HttpSettings, clock: FakeClock) -> None:
        super().__init__(app, settings, clock)
        self.app = app
        self.listener = listen(_ANYWHERE)
        self.address: tuple[str, int] = self.listener.getsockname()

    async def __aenter__(self) -> "Served":
        await self.start(self.listener)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop(0)
        forget(self.listener, _ANYWHERE)


Start = Callable[[Application | Endpoint], Awaitable[Served]]


@pytest.fixture
async def start(clock: FakeClock, settings: HttpSettings) -> AsyncIterator[Start]:
    """Starts servers on free ports, which stop when the test ends; each has given back all of its budget by then."""
    async with AsyncExitStack() as servers:
        started: list[Served] = []

        async def serve(app: Application | Endpoint) -> Served:
            whole = app if isinstance(app, Application) else app_of(app, settings, clock)
            started.append(await servers.enter_async_context(Served(whole, settings, clock)))
            return started[-1]

        yield serve
    await asyncio.sleep(0)
    assert [server.app.budget.used_bytes for server in started] == [0] * len(started)


@pytest.fixture
async def server(service: Service, start: Start) -> Served:
    """The service on a free port."""
    return await start(service.app)
