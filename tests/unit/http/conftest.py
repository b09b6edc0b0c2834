"""A service whose worker is the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from tests.fake_clock import FakeClock
from tests.unit.http.scripted_engine import ScriptedEngine
from zypher.gateway.gateway import Gateway
from zypher.http.app import Application, prediction_routes
from zypher.settings import HttpSettings
from zypher.telemetry.access_log import AccessEntry, AccessLog
from zypher.telemetry.metrics import Metrics


@dataclass(frozen=True)
class Service:
    """The parts that a test may touch."""

    engine: ScriptedEngine
    gateway: Gateway
    app: Application
    accesses: list[AccessEntry]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings() -> HttpSettings:
    """What a test module may override."""
    return HttpSettings(port=0, max_body_bytes=100_000)


@pytest.fixture
def service(clock: FakeClock, settings: HttpSettings) -> Service:
    engine, metrics = ScriptedEngine(clock), Metrics()
    gateway = Gateway(engine, clock, metrics, model=None)
    accesses: list[AccessEntry] = []
    log = AccessLog(metrics, accesses.extend)
    app = Application(prediction_routes(gateway, settings), settings, clock, log)
    return Service(engine, gateway, app, accesses)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the application without a network, as any ASGI server does."""
    transport = httpx.ASGITransport(service.app)  # pyright: ignore[reportArgumentType]  # its scope is a mutable mapping
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
