"""What a gateway decides by: never by a snapshot that is too old."""

import pytest
from msgspec.structs import replace

from tests.fake_clock import FakeClock
from tests.unit.http.scripted_engine import ScriptedEngine
from zypher.errors import NoReplica
from zypher.gateway.gateway import Gateway
from zypher.telemetry.metrics import Metrics

BODY = b'{"input": "a"}'


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(clock: FakeClock) -> ScriptedEngine:
    return ScriptedEngine(clock)


@pytest.fixture
def gateway(engine: ScriptedEngine, clock: FakeClock) -> Gateway:
    return Gateway(engine, clock, Metrics(), model=None)


def break_replicas(engine: ScriptedEngine) -> None:
    engine.workers = tuple(replace(worker, ready_replicas=0, problem="No weights.") for worker in engine.workers)


def mend_replicas(engine: ScriptedEngine) -> None:
    engine.workers = tuple(replace(worker, ready_replicas=1, problem=None) for worker in engine.workers)


async def test_a_refusal_reads_the_engine_again(engine: ScriptedEngine, gateway: Gateway) -> None:
    break_replicas(engine)
    with pytest.raises(NoReplica):
        await gateway.submit(BODY, durable=False)
    mend_replicas(engine)
    assert (await gateway.submit(BODY, durable=False)).input == b'"a"'


@pytest.mark.parametrize("durable", [False, True])
async def test_an_acceptance_needs_a_fresh_snapshot(
    engine: ScriptedEngine, gateway: Gateway, clock: FakeClock, durable: bool
) -> None:
    await gateway.submit(BODY, durable=durable)
    break_replicas(engine)
    clock.advance(0.11)
    with pytest.raises(NoReplica):
        await gateway.submit(BODY, durable=durable)


async def test_the_engine_is_read_at_most_every_tenth(
    engine: ScriptedEngine, gateway: Gateway, clock: FakeClock
) -> None:
    await gateway.submit(BODY, durable=False)
    break_replicas(engine)
    clock.advance(0.09)
    assert (await gateway.submit(BODY, durable=False)).input == b'"a"'
