"""What the gateway sees of an engine that many workers announce themselves in."""

import asyncio

import msgspec
import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.http.memory_engine import CARD, MemoryEngine
from zypher.errors import EngineUnavailable
from zypher.gateway.outlook import Outlook
from zypher.presence import Depth, Presence

OTHER = msgspec.structs.replace(CARD, name="whisper")


class SharedEngine(MemoryEngine):
    """Tells its presences by model, and can be slow or away."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.looks = 0
        self.away = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def depths(self, model: str | None = None) -> dict[str, Depth]:
        self.looks += 1
        await self.answers.wait()
        if self.away:
            raise EngineUnavailable("It is away.")
        # As from a network: equal to what was announced, but never the same object.
        copied = msgspec.msgpack.decode(msgspec.msgpack.encode(self.presences), type=tuple[Presence, ...])
        return {
            each: msgspec.structs.replace(
                depth, presences=tuple(presence for presence in copied if presence.model == each)
            )
            for each, depth in (await super().depths(model)).items()
        }


def presence(card_name: str) -> Presence:
    card = CARD if card_name == CARD.name else OTHER
    return Presence("worker of " + card_name, card_name, card, 1, 1, 1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(clock: FakeClock) -> SharedEngine:
    return SharedEngine(clock)


@pytest.fixture
def outlook(engine: SharedEngine, clock: FakeClock) -> Outlook:
    return Outlook(engine, clock, None)


async def test_the_model_that_is_announced_is_served(outlook: Outlook) -> None:
    assert (await outlook.look()).card == CARD


async def test_the_same_card_needs_no_second_validator(outlook: Outlook) -> None:
    first = (await outlook.look()).card
    again = (await outlook.look()).card
    assert first is not None
    assert first is again


async def test_new_types_need_one(outlook: Outlook, engine: SharedEngine) -> None:
    await outlook.look()
    changed = msgspec.structs.replace(CARD, description="Say it much louder.")
    engine.presences = (msgspec.structs.replace(presence(CARD.name), card=changed),)
    assert (await outlook.look()).card == changed


async def test_a_card_outlasts_its_workers(outlook: Outlook, engine: SharedEngine) -> None:
    await outlook.look()
    engine.presences = ()
    view = await outlook.look()
    assert (view.card, view.depth.presences) == (CARD, ())


async def test_another_model_takes_the_place_of_one_that_is_gone(outlook: Outlook, engine: SharedEngine) -> None:
    await outlook.look()
    engine.presences = (presence(CARD.name), presence(OTHER.name))
    assert (await outlook.look()).card == CARD
    engine.presences = (presence(OTHER.name),)
    assert (await outlook.look()).card == OTHER


async def test_none_of_several_models_is_guessed(outlook: Outlook, engine: SharedEngine) -> None:
    engine.presences = (presence(CARD.name), presence(OTHER.name))
    view = await outlook.look()
    assert view.card is None
    assert view.problem == (
        "Workers announce the models shout and whisper; say with --model which one this server serves."
    )


async def test_the_model_that_is_asked_for_is_the_only_one(engine: SharedEngine, clock: FakeClock) -> None:
    engine.presences = (presence(CARD.name), presence(OTHER.name))
    assert (await Outlook(engine, clock, OTHER.name).look()).card == OTHER
    assert (await Outlook(engine, clock, "").look()).card is None


async def test_all_who_ask_at_once_share_one_look(outlook: Outlook, engine: SharedEngine) -> None:
    await asyncio.gather(*(outlook.look() for _ in range(20)))
    assert engine.looks == 1


async def test_an_engine_that_is_away_is_said_to_all(outlook: Outlook, engine: SharedEngine) -> None:
    engine.away = True
    said = await asyncio.gather(*(outlook.look() for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in said] == ["It is away."] * 3
    engine.away = False
    assert (await outlook.look()).card == CARD


async def test_a_slow_engine_is_not_waited_for_for_ever(
    outlook: Outlook, engine: SharedEngine, clock: FakeClock
) -> None:
    engine.answers.clear()
    first = asyncio.create_task(outlook.look())
    await eventually(lambda: engine.looks)
    clock.advance(2)
    with pytest.raises(EngineUnavailable, match="too slow"):
        await outlook.look()
    engine.answers.set()
    assert (await first).card == CARD
