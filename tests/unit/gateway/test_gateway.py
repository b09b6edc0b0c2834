"""What a gateway decides by: never by a snapshot that is too old."""

import re

import pytest
from msgspec.structs import replace

from tests.fake_clock import FakeClock
from tests.unit.http.scripted_engine import CARD, ScriptedEngine
from zypher.errors import Draining, InvalidInput, MalformedBody, NoReplica, QueueFull
from zypher.gateway.admission import Demand
from zypher.gateway.envelope import input_in
from zypher.gateway.gateway import Gateway
from zypher.gateway.large_bodies import LargeBodies
from zypher.gateway.received_body import ReceivedBody
from zypher.model_card import ModelCard, revision_of
from zypher.prediction import Status
from zypher.queue_state import WorkerState
from zypher.telemetry.metrics import Metrics

BODY = b'{"input": "a"}'
NUMBER = replace(CARD, input_schema={"type": ["number", "array"]})


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
        await gateway.submit(BODY, Demand.OUTPUT)
    mend_replicas(engine)
    assert (await gateway.submit(BODY, Demand.OUTPUT)).message.input == b'"a"'


async def test_an_acceptance_needs_a_fresh_snapshot(engine: ScriptedEngine, gateway: Gateway, clock: FakeClock) -> None:
    await gateway.submit(BODY, Demand.OUTPUT)
    break_replicas(engine)
    clock.advance(0.11)
    with pytest.raises(NoReplica):
        await gateway.submit(BODY, Demand.OUTPUT)


async def test_the_engine_is_read_at_most_every_tenth(
    engine: ScriptedEngine, gateway: Gateway, clock: FakeClock
) -> None:
    await gateway.submit(BODY, Demand.OUTPUT)
    break_replicas(engine)
    clock.advance(0.09)
    assert (await gateway.submit(BODY, Demand.OUTPUT)).message.input == b'"a"'


async def test_a_full_queue_has_room_once_its_first_ends(engine: ScriptedEngine, gateway: Gateway) -> None:
    engine.limit = 0
    with pytest.raises(QueueFull) as full:
        await gateway.submit(BODY, Demand.OUTPUT)
    assert full.value.retry_after_s == 3  # a run takes 2.5


async def test_what_was_admitted_for_one_demand_is_judged_for_another(engine: ScriptedEngine, gateway: Gateway) -> None:
    break_replicas(engine)
    await gateway.submit(BODY, Demand.DURABLE)
    with pytest.raises(NoReplica):
        await gateway.submit(BODY, Demand.OUTPUT)


@pytest.mark.parametrize("key", [None, "key"])
async def test_a_durable_submission_without_a_replica_waits_for_a_worker(
    engine: ScriptedEngine, gateway: Gateway, key: str | None
) -> None:
    assert not gateway.waits_for_worker((await gateway.submit(BODY, Demand.DURABLE, key)).prediction)
    engine.card, engine.workers = CARD, ()
    await gateway.readiness()
    assert gateway.waits_for_worker((await gateway.submit(BODY, Demand.DURABLE, key)).prediction)


LARGE = "b" * 40_000


@pytest.mark.parametrize(
    ("input", "card"), [('"a"', CARD), ("1", NUMBER), (f'"{LARGE}"', CARD), (f"[{'1,' * 40_000}1]", NUMBER)]
)
async def test_the_message_has_the_revision_that_accepts_it(
    engine: ScriptedEngine, gateway: Gateway, input: str, card: ModelCard
) -> None:
    engine.card = CARD
    engine.workers = (*engine.workers, WorkerState("new", CARD.name, NUMBER, 1, 1, 1))
    submitted = await gateway.submit(f'{{"input": {input}}}'.encode(), Demand.DURABLE)
    await gateway.close()
    assert submitted.message.options.revision == revision_of(card)


@pytest.mark.parametrize("input", ["null", f'{{"a": "{LARGE}"}}'])
async def test_what_no_revision_accepts_is_refused_as_the_newest_does(
    engine: ScriptedEngine, gateway: Gateway, input: str
) -> None:
    engine.card = CARD
    engine.workers = (WorkerState("new", CARD.name, NUMBER, 1, 1, 1), *engine.workers)
    with pytest.raises(InvalidInput, match=r"\$\.input must be a string"):
        await gateway.submit(f'{{"input": {input}}}'.encode(), Demand.DURABLE)
    await gateway.close()


@pytest.mark.parametrize(("demand", "status"), [(Demand.OUTPUT, Status.CANCELLED), (Demand.DURABLE, Status.QUEUED)])
async def test_an_abandoned_prediction_is_cancelled_unless_durable(
    engine: ScriptedEngine, gateway: Gateway, demand: Demand, status: Status
) -> None:
    await gateway.abandon((await gateway.submit(BODY, demand)).prediction)
    assert engine.only.status is status


async def test_readiness_to_accept_and_to_run_are_two(engine: ScriptedEngine, gateway: Gateway) -> None:
    assert (await gateway.readiness(run=True)).ready
    engine.card, engine.workers = CARD, ()
    assert (await gateway.readiness()).ready
    assert not (await gateway.readiness(run=True)).ready


async def test_a_retired_one_accepts_and_is_not_ready(gateway: Gateway) -> None:
    gateway.retire()
    readiness = await gateway.readiness()
    assert [str(problem) for problem in readiness.problems] == ["The server is stopping."]
    assert (await gateway.submit(BODY, Demand.OUTPUT)).prediction.status is Status.QUEUED
    gateway.drain()
    with pytest.raises(Draining):
        await gateway.submit(BODY, Demand.OUTPUT)


def large(text: bytes) -> bytes:
    return b'{"input": "' + text * 50_000 + b'"}'


async def test_a_large_text_is_accepted_without_another_process(
    engine: ScriptedEngine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LargeBodies, "check", None)
    body = ReceivedBody(large(b"ab")[:70_000], large(b"ab")[70_000:])
    assert (await gateway.submit(body, Demand.OUTPUT)).message.input == large(b"ab")[10:-1]
    assert (await gateway.submit(large(b"ab"), Demand.OUTPUT)).message.input == large(b"ab")[10:-1]


@pytest.mark.parametrize("text", [b"\n", b'"', b"\\x", b"\\ud800", b"\xff"])
async def test_a_large_text_is_refused_as_a_small_one(gateway: Gateway, text: bytes) -> None:
    with pytest.raises((MalformedBody, InvalidInput)) as small:
        input_in(b'{"input": "' + text + b'"}')
    with pytest.raises(small.type) as refused:
        await gateway.submit(large(text), Demand.OUTPUT)
    await gateway.close()
    assert _without_places(refused.value) == _without_places(small.value)


async def test_a_large_text_of_a_constrained_type_is_checked(engine: ScriptedEngine, gateway: Gateway) -> None:
    card = engine.workers[0].card
    assert card is not None
    card = replace(card, input_schema={"type": "string", "maxLength": 3})
    engine.workers = tuple(replace(worker, card=card) for worker in engine.workers)
    with pytest.raises(InvalidInput, match="at most 3 characters"):
        await gateway.submit(large(b"a"), Demand.OUTPUT)
    await gateway.close()


def _without_places(error: Exception) -> str:
    return re.sub(r"\d+", "", str(error))


async def test_polls_grow_apart_while_no_worker_serves_the_model(
    engine: ScriptedEngine, gateway: Gateway, clock: FakeClock
) -> None:
    submitted = await gateway.submit(BODY, Demand.DURABLE)
    queued = submitted.prediction
    other = replace(queued, model="renamed")
    seconds: list[tuple[int, int]] = []
    for waits_s in (0, 60, 3_600, 1_000_000):
        clock.advance(waits_s)
        seconds.append((gateway.retry_after_s(queued), gateway.retry_after_s(other)))
    assert seconds == [(3, 5), (3, 30), (3, 1_830), (3, 3_600)]
