"""The events of attempts that run, and the outcomes that follow them."""

import asyncio
import logging

import pytest

from tests.contract.phrases import turns
from tests.fake_clock import eventually
from tests.unit.worker.house import LEASE_S, House
from zypher.errors import DataFull, EngineUnavailable
from zypher.prediction import Status
from zypher.worker.attempt import Attempt


async def running(house: House, prediction_id: str = "a") -> Attempt:
    await house.submit(prediction_id)
    return (await house.running(prediction_id))[0]


async def contents(house: House, prediction_id: str = "a") -> list[bytes]:
    """Those of the events that are stored."""
    return [event.content for event in await house.engine.events(prediction_id) or []]


async def status(house: House, prediction_id: str = "a") -> Status:
    return (await house.get(prediction_id)).status


def dropped(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The problem of each warning about events."""
    return [vars(record)["problem"] for record in caplog.records if record.getMessage() == "events are dropped"]


async def test_events_are_published_while_the_attempt_runs(house: House) -> None:
    attempt = await running(house)
    house.made[0].report(attempt, b"1", b"2")
    await turns()
    house.made[0].report(attempt, b"3")
    await turns()
    assert await contents(house) == [b"1", b"2", b"3"]
    assert house.engine.publishes == 2


async def test_events_that_wait_are_published_together(house: House) -> None:
    attempt = await running(house)
    let = house.engine.hold("publish")
    house.made[0].report(attempt, b"1")
    await turns()
    for number in range(2, 9):
        house.made[0].report(attempt, b"%d" % number)
        await turns()
    let.set()
    await turns()
    assert await contents(house) == [b"%d" % number for number in range(1, 9)]
    assert house.engine.publishes == 2


async def test_an_outcome_follows_its_events(house: House) -> None:
    attempt = await running(house)
    let = house.engine.hold("publish")
    house.made[0].report(attempt, b"1")
    await turns()
    house.made[0].report(attempt, b"2")
    house.made[0].end(attempt)
    await house.pass_time(0.5)
    assert await status(house) is Status.RUNNING

    let.set()
    await house.engine.get("a", None)
    assert await status(house) is Status.SUCCEEDED
    assert await contents(house) == [b"1", b"2"]


async def test_a_lost_attempt_is_given_back_after_its_events(house: House) -> None:
    attempt = await running(house)
    house.made[0].begin()
    house.made[0].report(attempt, b"1")
    house.made[0].die("was killed")
    (again,) = await house.running("a")
    assert again.delivery.attempt == 2
    assert await contents(house) == [b"1"]


async def test_only_outcomes_with_events_wait_for_them(house: House) -> None:
    let = house.engine.hold("publish")
    with_events, without = await running(house, "a"), await running(house, "b")
    house.made[0].report(with_events, b"1")
    house.made[0].end(with_events)
    house.made[0].end(without)
    await house.engine.get("b", None)
    await house.submit("c", "d")
    await house.running("c", "d")  # the slot is free before the outcome is settled
    assert await status(house, "a") is Status.RUNNING
    let.set()
    await house.engine.get("a", None)


async def test_an_outcome_waits_for_a_second_at_most(house: House, caplog: pytest.LogCaptureFixture) -> None:
    attempt = await running(house)
    let = house.engine.hold("publish")
    house.made[0].report(attempt, b"1")
    await turns()
    house.made[0].report(attempt, b"2")
    house.made[0].end(attempt)
    await turns()
    await house.pass_time(0.5)
    assert await status(house) is Status.RUNNING
    await house.pass_time(0.5)
    assert await status(house) is Status.SUCCEEDED
    assert dropped(caplog) == ["the engine has not taken them 1 s after the end"]

    let.set()
    await house.pass_time(1)
    assert await contents(house) == []


@pytest.mark.parametrize("refusal", [EngineUnavailable("It is away."), DataFull("It is full.")], ids=repr)
async def test_events_that_the_engine_refuses_are_dropped(
    house: House, caplog: pytest.LogCaptureFixture, refusal: EngineUnavailable
) -> None:
    attempt = await running(house)
    house.engine.refusal = refusal
    house.engine.away = {"publish"}
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            house.made[0].report(attempt, b"%d" % number)
            await turns()
    assert dropped(caplog) == [str(refusal)]

    house.engine.away = set()
    house.made[0].report(attempt, b"3")
    await turns()
    house.engine.away = {"publish"}
    house.made[0].report(attempt, b"4")
    house.made[0].end(attempt)
    await eventually(lambda: house.settled() == 1)
    assert await contents(house) == [b"3"]
    assert dropped(caplog) == [str(refusal)] * 2


async def test_events_of_an_attempt_without_its_lease_are_dropped(house: House) -> None:
    attempt = await running(house)
    let = house.engine.hold("extend")
    house.clock.advance(LEASE_S / 3)
    await asyncio.sleep(0)
    for _ in range(6):
        house.clock.advance(LEASE_S / 5)
    let.set()
    await eventually(lambda: house.made[0].stopped)
    house.made[0].report(attempt, b"1")
    house.made[0].end(attempt)
    await house.running("a")
    await turns()
    assert await contents(house) == []
    assert house.engine.publishes == 0


async def test_an_outcome_that_waits_for_events_is_handed_back(house: House) -> None:
    attempt = await running(house)
    house.engine.hold("publish")
    house.made[0].report(attempt, b"1")
    await turns()
    house.made[0].report(attempt, b"2")
    house.made[0].end(attempt)
    await turns()
    await house.worker.stop()
    assert await status(house) is Status.QUEUED
