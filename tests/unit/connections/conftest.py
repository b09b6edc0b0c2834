"""Servers on free ports."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.fake_clock import FakeClock
from tests.unit.http.conftest import Service, clock, service, settings
from zypher.connections.server import HttpServer
from zypher.http.app import Application
from zypher.http.request import Endpoint
from zypher.service.sockets import Address, close_listener, listen
from zypher.settings import HttpSettings
from zypher.telemetry.access_log import AccessLog
from zypher.telemetry.metrics import Metrics

__all__ = ["clock", "service", "settings"]  # fixtures


def app_of(endpoint: Endpoint, settings: HttpSettings, clock: FakeClock) -> Application:
    """An application whose every page is this."""
    methods = {"GET": endpoint, "HEAD": endpoint, "POST": endpoint}
    routes = {"/predict": methods, "/healthz/live": methods, "/{page}": methods}
    return Application(routes, settings, clock, AccessLog(Metrics(), None))


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
        close_listener(self.listener, _ANYWHERE)


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
