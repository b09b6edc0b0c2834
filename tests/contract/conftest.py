"""The engines that the suite holds to the contract: adding one is adding a parameter."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Protocol

import pytest

from tests.fake_clock import FakeClock
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.engine import Engine

LEASE_S = 30.0
RETENTION_S = 3600.0


class OpenEngine(Protocol):
    """Opens an engine; a second one of the same test finds what the first, closed, left behind."""

    def __call__(self, *, queue_limit: int = 1000) -> Awaitable[Engine]: ...


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["embedded"])
async def open_engine(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[OpenEngine]:
    def make(queue_limit: int) -> Engine:
        makers = {
            "embedded": lambda: EmbeddedEngine(
                tmp_path / "data", clock, queue_limit=queue_limit, retention_s=RETENTION_S, lease_s=LEASE_S
            )
        }
        return makers[str(request.param)]()

    opened: list[Engine] = []

    async def open_one(*, queue_limit: int = 1000) -> Engine:
        engine = make(queue_limit)
        await engine.open()
        opened.append(engine)
        return engine

    yield open_one
    for engine in opened:
        await engine.close()


@pytest.fixture
async def engine(open_engine: OpenEngine) -> Engine:
    return await open_engine()
