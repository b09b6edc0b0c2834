"""When a worker has a model: once one replica has loaded it, or not before each of them has failed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.fake_replica import CARD, FakeReplica
from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.worker.attempt import Endings
from zypher.worker.replicas import Replicas
from zypher.worker.slots import Slots

COUNT = 3


class Loading:
    """Replicas, each of which loads its model or refuses it when a test says so."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.refusing: set[int] = set()
        self.gates = {number: asyncio.Event() for number in range(1, COUNT + 1)}
        self.made: list[int] = []
        self._endings = Endings()
        self.replicas = Replicas(self._make, COUNT, Slots(self._endings, 3), self.clock)

    def start(self, *refusing: int) -> "asyncio.Future[ModelCard]":
        """Start them; those of these numbers will refuse. Returns the first card to be."""
        self.refusing = set(refusing)
        self.replicas.start()
        return asyncio.ensure_future(self.replicas.first_card())

    def _make(self, number: int) -> FakeReplica:
        self.made.append(number)
        refusal = "no weights" if number in self.refusing else ""
        return FakeReplica(self._endings, number=number, refusal=refusal, gate=self.gates[number])

    async def try_once(self, number: int) -> None:
        """Let this one load or refuse, and return once that has been noticed."""
        self.gates[number].set()
        await eventually(self.replicas.changed.is_set)
        self.replicas.changed.clear()


@pytest.fixture
async def loading() -> AsyncIterator[Loading]:
    loading = Loading()
    yield loading
    await loading.replicas.stop()


async def test_one_that_cannot_load_leaves_the_others_time(loading: Loading, caplog: pytest.LogCaptureFixture) -> None:
    first_card = loading.start(1, 2)
    for number in (1, 2):
        await loading.try_once(number)
    assert not first_card.done()
    assert loading.replicas.problem == "no weights"
    await loading.try_once(3)
    assert await first_card == CARD
    assert loading.replicas.problem is None


async def test_one_that_cannot_load_is_logged_and_started_again(
    loading: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    first_card = loading.start(1)
    await loading.try_once(1)
    problems = [vars(record) for record in caplog.records if record.message == "a replica cannot start"]
    assert [(each["replica"], each["problem"]) for each in problems] == [(1, "no weights")]
    await eventually(lambda: loading.clock.pending)
    loading.refusing = set()
    loading.clock.advance(0.5)
    await eventually(lambda: loading.made.count(1) == 2)
    assert await first_card == CARD


async def test_when_none_can_load_there_is_no_model(loading: Loading) -> None:
    first_card = loading.start(1, 2, 3)
    for number in (3, 1):
        await loading.try_once(number)
    await eventually(lambda: loading.clock.pending)
    loading.clock.advance(0.5)  # the first ones fail again meanwhile
    await eventually(lambda: len(loading.made) > COUNT)
    assert not first_card.done()
    await loading.try_once(2)
    with pytest.raises(TargetError, match="no weights"):
        await first_card


async def test_after_the_first_failure_each_one_counts(loading: Loading) -> None:
    first_card = loading.start(1, 2, 3)
    for number in range(1, COUNT + 1):
        await loading.try_once(number)
    with pytest.raises(TargetError):
        await first_card
    again = asyncio.ensure_future(loading.replicas.first_card())
    await eventually(lambda: loading.clock.pending)
    loading.clock.advance(0.5)
    with pytest.raises(TargetError, match="no weights"):
        await again
