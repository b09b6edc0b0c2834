"""What the gateway sees of an engine that many workers announce themselves in."""

import asyncio
import gc

import msgspec
import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.http.scripted_engine import CARD, ScriptedEngine
from zypher.errors import EngineUnavailable
from zypher.gateway.snapshot import SnapshotCache
from zypher.model_card import ModelCard
from zypher.queue_state import QueueState, WorkerState

OTHER = msgspec.structs.replace(CARD, name="whisper")


class SharedEngine(ScriptedEngine):
    """Tells its presences by model, and can be slow or away."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.looks = 0
        self.away = False
        self.cards: dict[str, ModelCard] = {}  # that are kept, by model
        self.answers = asyncio.Event()
        self.answers.set()

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        self.looks += 1
        await self.answers.wait()
        if self.away:
            raise EngineUnavailable("It is away.")
        found = await super().queues(model)
        if model is None:
            found |= {each: QueueState(0, 0, None, None, 10, ()) for each in self.cards if each not in found}
        # As from a network: equal to what was announced, but never the same object.
        copied = msgspec.msgpack.decode(msgspec.msgpack.encode(self.workers), type=tuple[WorkerState, ...])
        return {
            each: msgspec.structs.replace(
                queue, workers=tuple(worker for worker in copied if worker.model == each), card=self.cards.get(each)
            )
            for each, queue in found.items()
        }


def worker(card_name: str) -> WorkerState:
    card = CARD if card_name == CARD.name else OTHER
    return WorkerState("worker of " + card_name, card_name, card, 1, 1, 1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(clock: FakeClock) -> SharedEngine:
    return SharedEngine(clock)


@pytest.fixture
def snapshots(engine: SharedEngine, clock: FakeClock) -> SnapshotCache:
    return SnapshotCache(engine, clock, None)


async def test_the_model_that_is_announced_is_served(snapshots: SnapshotCache) -> None:
    assert (await snapshots.refresh()).card == CARD


async def test_the_same_card_needs_no_second_validator(snapshots: SnapshotCache) -> None:
    first = (await snapshots.refresh()).card
    again = (await snapshots.refresh()).card
    assert first is not None
    assert first is again


async def test_new_types_need_one(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    await snapshots.refresh()
    changed = msgspec.structs.replace(CARD, description="Say it much louder.")
    engine.workers = (msgspec.structs.replace(worker(CARD.name), card=changed),)
    assert (await snapshots.refresh()).card == changed


async def test_a_kept_card_outlasts_its_workers(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    engine.cards = {CARD.name: CARD}
    engine.workers = ()
    snapshot = await snapshots.refresh()
    assert (snapshot.card, snapshot.queue.workers) == (CARD, ())


async def test_another_model_takes_the_place_of_one_that_is_gone(
    snapshots: SnapshotCache, engine: SharedEngine
) -> None:
    await snapshots.refresh()
    engine.workers = (worker(CARD.name), worker(OTHER.name))
    assert (await snapshots.refresh()).card == CARD
    engine.workers = (worker(OTHER.name),)
    assert (await snapshots.refresh()).card == OTHER


async def test_of_several_known_models_the_announced_one_is_served(
    snapshots: SnapshotCache, engine: SharedEngine
) -> None:
    engine.cards = {CARD.name: CARD, OTHER.name: OTHER}
    engine.workers = (worker(OTHER.name),)
    assert (await snapshots.refresh()).card == OTHER
    engine.workers = ()
    assert (await snapshots.refresh()).card == OTHER


async def test_none_of_several_known_models_is_guessed(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    engine.cards = {CARD.name: CARD, OTHER.name: OTHER}
    engine.workers = ()
    snapshot = await snapshots.refresh()
    assert snapshot.card is None
    assert "shout and whisper" in str(snapshot.problem)


async def test_a_forgotten_model_is_served_no_more(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    await snapshots.refresh()
    engine.workers = ()
    assert (await snapshots.refresh()).card is None


async def test_an_equal_card_keeps_its_revision(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    first = (await snapshots.refresh()).revisions
    described = msgspec.structs.replace(CARD, description="Say it much louder.")
    engine.workers = (*engine.workers, msgspec.structs.replace(worker(CARD.name), card=described))
    assert (await snapshots.refresh()).revisions == first


async def test_none_of_several_models_is_guessed(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    engine.workers = (worker(CARD.name), worker(OTHER.name))
    snapshot = await snapshots.refresh()
    assert snapshot.card is None
    assert snapshot.problem == (
        "Workers announce the models shout and whisper; say with --model which one this server serves."
    )


async def test_the_model_that_is_asked_for_is_the_only_one(engine: SharedEngine, clock: FakeClock) -> None:
    engine.workers = (worker(CARD.name), worker(OTHER.name))
    assert (await SnapshotCache(engine, clock, OTHER.name).refresh()).card == OTHER
    assert (await SnapshotCache(engine, clock, "").refresh()).card is None


async def test_concurrent_callers_share_one_read(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    await asyncio.gather(*(snapshots.refresh() for _ in range(20)))
    assert engine.looks == 1


async def test_an_unavailable_engine_is_reported_to_all(snapshots: SnapshotCache, engine: SharedEngine) -> None:
    engine.away = True
    said = await asyncio.gather(*(snapshots.refresh() for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in said] == ["It is away."] * 3
    engine.away = False
    assert (await snapshots.refresh()).card == CARD


async def test_a_failed_read_without_callers_stays_out_of_the_log(
    snapshots: SnapshotCache, engine: SharedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.away = True
    engine.answers.clear()
    caller = asyncio.create_task(snapshots.refresh())
    await eventually(lambda: engine.looks)
    caller.cancel()
    engine.answers.set()
    await eventually(lambda: len(asyncio.all_tasks()) == 1)
    engine.away = False
    await snapshots.refresh()
    del caller  # the last that has the failed one
    gc.collect()
    assert caplog.text == ""


async def test_a_slow_engine_is_not_waited_for_for_ever(
    snapshots: SnapshotCache, engine: SharedEngine, clock: FakeClock
) -> None:
    engine.answers.clear()
    first = asyncio.create_task(snapshots.refresh())
    await eventually(lambda: engine.looks)
    clock.advance(2)
    with pytest.raises(EngineUnavailable, match="did not respond"):
        await snapshots.refresh()
    engine.answers.set()
    assert (await first).card == CARD
