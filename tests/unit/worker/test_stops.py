"""Attempts that are to end before their time."""

import asyncio
import logging

import pytest

from tests.contract.phrases import turns
from tests.fake_clock import eventually
from tests.unit.worker.house import LEASE_S, House
from zypher.prediction import Cancellation, Lane, Options, Status, StopReason
from zypher.worker.attempt import Attempt
from zypher.worker.protocol import Stopped, Succeeded


async def cancelled(house: House, prediction_id: str = "a") -> Attempt:
    """A running attempt that its replica was asked to stop, because its prediction was cancelled."""
    await house.submit(prediction_id)
    (attempt,) = await house.running(prediction_id)
    assert await house.engine.cancel(prediction_id) is Cancellation.ASKED
    await eventually(lambda: house.made[0].stopped)
    assert house.made[0].stopped == [(attempt, StopReason.CANCELLED)]
    return attempt


async def status(house: House, prediction_id: str) -> Status:
    return (await house.get(prediction_id)).status


async def lose_leases(house: House) -> None:
    """Let all leases end, and the worker learn of it."""
    let = house.engine.hold("extend")
    house.clock.advance(LEASE_S / 3)
    await turns()
    for _ in range(6):
        house.clock.advance(LEASE_S / 5)
    let.set()
    await turns()


async def submit_again(house: House, prediction_id: str, *, counted: bool) -> None:
    """Submit a prediction that was handed out twice before; `counted` says whether these were attempts."""
    await house.engine.open()
    await house.submit(prediction_id)
    for _ in range(2):
        (delivery,) = await house.engine.receive("m", 1, 0)
        await house.engine.release(delivery, counted=counted)


async def waiting(house: House) -> None:
    """Let "a" run, and the last attempt of "last" wait until it has the replica for itself."""
    await submit_again(house, "last", counted=True)
    await house.submit("a", options=Options(lane=Lane.HIGH))
    house.worker.start()
    await house.worker.run()
    await house.running("a")
    await turns()
    assert await status(house, "last") is Status.RUNNING


async def test_an_attempt_that_is_stopped_ends_as_cancelled(house: House) -> None:
    attempt = await cancelled(house)
    assert await status(house, "a") is Status.RUNNING
    house.made[0].end(attempt, Stopped(1, begun=True, run_s=0.5))
    ended = await house.engine.get("a", None)
    assert ended is not None
    assert ended.status is Status.CANCELLED
    await eventually(lambda: house.settled() == 1)


async def test_an_output_after_the_stop_counts(house: House) -> None:
    attempt = await cancelled(house)
    house.made[0].end(attempt, Succeeded(1, b'"as far as it got"', 0.5))
    ended = await house.engine.get("a", None)
    assert ended is not None
    assert ended.status is Status.SUCCEEDED


async def test_a_cancelled_attempt_whose_replica_dies_is_the_last(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await cancelled(house)
    house.made[0].begin()
    house.made[0].die("was killed")
    ended = await house.engine.get("a", None)
    assert ended is not None
    assert ended.status is Status.CANCELLED
    assert "attempt lost" in caplog.text
    assert "prediction failed" not in caplog.text


async def test_what_is_cancelled_and_handed_back_ends_as_cancelled(house: House) -> None:
    await cancelled(house)
    await house.worker.stop()
    assert await status(house, "a") is Status.CANCELLED


async def test_an_attempt_is_stopped_once(house: House) -> None:
    attempt = await cancelled(house)
    await lose_leases(house)
    assert house.made[0].stopped == [(attempt, StopReason.CANCELLED)]
    house.made[0].end(attempt)
    await turns()
    assert house.settled() == 0
    assert await status(house, "a") is Status.CANCELLED


async def test_an_ending_that_was_not_settled_is_not_stopped(house: House, caplog: pytest.LogCaptureFixture) -> None:
    let = house.engine.hold("settle")
    await house.submit("a")
    (attempt,) = await house.running("a")
    house.made[0].end(attempt)
    await turns()
    await house.engine.cancel("a")
    await turns()
    let.set()
    ended = await house.engine.get("a", None)
    assert ended is not None
    assert ended.status is Status.SUCCEEDED
    await turns()
    assert house.made[0].stopped == []
    assert caplog.text == ""


async def test_a_cancelled_attempt_that_waits_for_a_slot_gets_none() -> None:
    house = House()
    await waiting(house)
    assert await house.engine.cancel("last") is Cancellation.ASKED
    ended = await house.engine.get("last", None)
    assert ended is not None
    assert ended.status is Status.CANCELLED
    await house.submit("b")
    await house.running("a", "b")
    assert house.made[0].stopped == []
    await house.close()


async def test_a_waiting_attempt_that_lost_its_lease_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    await waiting(house)
    (before,) = house.made[0].running
    with caplog.at_level(logging.WARNING):
        await lose_leases(house)
    assert caplog.text.count("lease lost: the attempt is stopped") == 2
    assert house.made[0].stopped == [(before, StopReason.LEASE_LOST)]

    await eventually(lambda: len(house.made[0].running) == 2)
    _, again = house.made[0].running
    assert again.delivery.message.prediction_id == "a"
    house.made[0].end(before)
    house.made[0].end(again)
    (last,) = await house.running("last")
    house.made[0].end(last)
    await eventually(lambda: house.settled() == 2)
    assert house.made[0].running == []
    async with asyncio.timeout(5):
        await house.worker.drain(10)  # for which nothing is left
    await house.close()


@pytest.mark.parametrize("how", ["cancelled", "lost"])
async def test_an_attempt_that_is_stopped_before_its_slot_gets_none(how: str) -> None:
    house = House()
    await submit_again(house, "a", counted=False)
    let = house.engine.hold("begin")  # which is awaited before it runs
    house.worker.start()
    await house.worker.run()
    await turns()
    if how == "cancelled":
        await house.engine.cancel("a")
        await turns()
        assert await status(house, "a") is Status.CANCELLED
    else:
        await lose_leases(house)
    let.set()
    await turns()
    await turns()
    assert len(house.made[0].running) == (how == "lost")  # handed out anew
    await house.close()


async def test_stops_go_on_after_an_outage(house: House) -> None:
    house.engine.away = {"stops"}
    await house.pass_time(61)  # the call that waits ends
    await house.submit("a")
    await house.running("a")
    await house.engine.cancel("a")
    await house.pass_time(3)
    assert house.made[0].stopped == []

    house.engine.away = set()
    await house.pass_time(3)
    assert [reason for _, reason in house.made[0].stopped] == [StopReason.CANCELLED]
