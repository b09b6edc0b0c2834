"""What a gateway decides by: never by a snapshot that is too old."""

import re

import pytest
from msgspec.structs import replace

from tests.fake_clock import FakeClock
from tests.unit.http.scripted_engine import ScriptedEngine
from zypher.errors import InvalidInput, MalformedBody, NoReplica
from zypher.gateway.envelope import input_in
from zypher.gateway.gateway import Gateway
from zypher.gateway.large_bodies import LargeBodies
from zypher.gateway.received_body import ReceivedBody
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


def large(text: bytes) -> bytes:
    return b'{"input": "' + text * 50_000 + b'"}'


async def test_a_large_text_is_accepted_without_another_process(
    engine: ScriptedEngine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LargeBodies, "check", None)
    body = ReceivedBody(large(b"ab")[:70_000], large(b"ab")[70_000:])
    assert (await gateway.submit(body, durable=False)).input == large(b"ab")[10:-1]
    assert (await gateway.submit(large(b"ab"), durable=False)).input == large(b"ab")[10:-1]


@pytest.mark.parametrize("text", [b"\n", b'"', b"\\x", b"\\ud800", b"\xff"])
async def test_a_large_text_is_refused_as_a_small_one(gateway: Gateway, text: bytes) -> None:
    with pytest.raises((MalformedBody, InvalidInput)) as small:
        input_in(b'{"input": "' + text + b'"}')
    with pytest.raises(small.type) as refused:
        await gateway.submit(large(text), durable=False)
    await gateway.close()
    assert _without_places(refused.value) == _without_places(small.value)


async def test_a_large_text_of_a_constrained_type_is_checked(engine: ScriptedEngine, gateway: Gateway) -> None:
    card = engine.workers[0].card
    assert card is not None
    card = replace(card, input_schema={"type": "string", "maxLength": 3})
    engine.workers = tuple(replace(worker, card=card) for worker in engine.workers)
    with pytest.raises(InvalidInput, match="at most 3 characters"):
        await gateway.submit(large(b"a"), durable=False)
    await gateway.close()


def _without_places(error: Exception) -> str:
    return re.sub(r"\d+", "", str(error))
