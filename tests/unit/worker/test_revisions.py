"""What a worker does with the inputs that another revision of its model accepted."""

import logging
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from tests.contract.phrases import turns
from tests.fake_clock import eventually
from tests.fake_replica import CARD
from tests.unit.worker.house import House
from zypher.model_card import revision_of
from zypher.prediction import FailureKind, Options, Status
from zypher.queue_state import WorkerState

TEXTS = replace(CARD, input_schema={"type": "string"})
NUMBERS = replace(CARD, input_schema={"type": "number"})
OF_NUMBERS = WorkerState("of numbers", "m", NUMBERS, 1, 1, 1)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    house.card = TEXTS
    await house.open()
    yield house
    await house.close()


def test_a_revision_is_named_by_its_schemas_alone() -> None:
    same = replace(TEXTS, description="Other words.", concurrency=9, defined_as="M", name="other")
    assert revision_of(same) == revision_of(TEXTS) != revision_of(NUMBERS)
    for changed in (
        replace(TEXTS, output_schema={"type": "null"}),
        replace(TEXTS, components={"A": {}}),
        replace(TEXTS, acceptance_schema={}),
    ):
        assert revision_of(changed) != revision_of(TEXTS)


@pytest.mark.parametrize("revision", ["", revision_of(TEXTS)])
async def test_its_own_and_unknown_revisions_are_not_checked(house: House, revision: str) -> None:
    await house.submit(
        "a", input=b"1", options=Options(revision=revision)
    )  # which does not fit, so a check would refuse it
    (attempt,) = await house.running("a")
    assert attempt.delivery.message.options.revision == revision


async def test_an_input_of_another_revision_that_fits_runs(house: House) -> None:
    await house.submit("a", input=b'"text"', options=Options(revision=revision_of(NUMBERS)))
    (attempt,) = await house.running("a")
    assert (attempt.delivery.attempt, attempt.delivery.message.options.revision) == (1, revision_of(NUMBERS))


async def test_one_that_fits_another_worker_is_released_uncharged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.engine.announce(OF_NUMBERS)
    with caplog.at_level(logging.ERROR):
        await house.submit("a", input=b"1", options=Options(revision=revision_of(NUMBERS)))
        await house.submit("b", input=b'"text"', options=Options(revision=revision_of(TEXTS)))
        await house.running("b")
        await house.pass_time(20)
    standing = await house.get("a")
    assert (standing.status, standing.attempt) == (Status.QUEUED, 0)
    assert [attempt.delivery.message.prediction_id for attempt in house.made[0].running] == ["b"]
    assert caplog.records == []


async def test_one_that_fits_no_living_worker_fails(house: House) -> None:
    await house.submit("a", input=b"1", options=Options(revision=revision_of(NUMBERS)))
    prediction = await house.engine.get("a", None)
    assert prediction is not None
    assert prediction.outcome is not None
    assert prediction.outcome.failure is not None
    assert prediction.outcome.failure.kind is FailureKind.INVALID_INPUT
    assert "$.input must be a string" in prediction.outcome.failure.message


async def test_one_that_is_cancelled_while_it_is_checked_ends_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    let = house.engine.hold("queues")
    await house.submit("a", input=b"1", options=Options(revision=revision_of(NUMBERS)))
    await turns()
    await house.engine.cancel("a")
    await turns()
    assert (await house.get("a")).status is Status.CANCELLED
    let.set()
    await house.submit("b", input=b'"text"')
    await house.running("b")
    await turns()
    assert house.settled() == 1
    assert caplog.text == ""


async def test_while_the_engine_is_away_nothing_fails(house: House) -> None:
    house.engine.away = {"queues"}
    await house.submit("a", input=b"1", options=Options(revision=revision_of(NUMBERS)))
    await eventually(lambda: house.engine.announced)
    await house.pass_time(2)
    house.engine.away = set()
    assert (await house.get("a")).status is Status.RUNNING
    await house.pass_time(35)  # its lease ends
    assert (await house.get("a")).status is Status.FAILED


async def test_a_replica_that_loads_changed_types_checks_by_them(house: House) -> None:
    await house.submit("before", input=b'"text"', options=Options(revision=revision_of(TEXTS)))
    await house.running("before")
    house.made[0].end(house.made[0].running[0])
    house.card = NUMBERS
    house.made[0].die("was killed")
    await house.pass_time(1)
    assert house.worker.state().card == NUMBERS
    await house.submit("a", input=b'"text"', options=Options(revision=revision_of(TEXTS)))
    await house.submit("b", input=b"1", options=Options(revision=revision_of(TEXTS)))
    await house.running("b")
    ended = await house.engine.get("a", None)
    assert ended is not None
    assert ended.status is Status.FAILED
