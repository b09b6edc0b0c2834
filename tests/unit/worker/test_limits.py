"""Attempts that run longer than they may, or ignore a stop."""

import asyncio
import logging

import pytest

from tests.fake_clock import eventually
from tests.unit.worker.house import GRACE_S, SETUP_TIMEOUT_S, TIMEOUT_S, House
from zypher.prediction import Cancellation, FailureKind, Options, Prediction, Status, StopReason
from zypher.worker.attempt import Attempt
from zypher.worker.protocol import Stopped

LOOK_S = 0.5


async def running(house: House, *ids: str, timeout_s: float | None = None) -> list[Attempt]:
    """Attempts that the model has begun."""
    await house.submit(*ids, options=Options(timeout_s=timeout_s))
    attempts = await house.running(*ids)
    for replica in house.made:
        replica.begin()
    await house.pass_time(LOOK_S)
    return attempts


async def ended(house: House, prediction_id: str) -> Prediction:
    await eventually(lambda: house.settled() > 0)
    return await house.get(prediction_id)


def kind(prediction: Prediction) -> FailureKind | None:
    assert prediction.outcome is not None
    return prediction.outcome.failure and prediction.outcome.failure.kind


async def test_an_attempt_over_its_time_is_stopped_and_fails(house: House) -> None:
    (attempt,) = await running(house, "a")
    await house.pass_time(TIMEOUT_S - 1)
    assert house.made[0].stopped == []
    await house.pass_time(2)
    assert house.made[0].stopped == [(attempt, StopReason.TIMED_OUT)]
    house.made[0].end(attempt, Stopped(1, begun=True, run_s=600.2))
    prediction = await ended(house, "a")
    assert prediction.outcome is not None
    assert prediction.outcome.failure is not None
    assert kind(prediction) is FailureKind.TIMED_OUT
    assert prediction.outcome.failure.message == "timed_out: it ran for 600.2 s, which is longer than it may"


@pytest.mark.parametrize(("asked_s", "limit_s"), [(3.0, 3.0), (TIMEOUT_S * 2, TIMEOUT_S)])
async def test_the_shorter_limit_counts(house: House, asked_s: float, limit_s: float) -> None:
    await running(house, "a", timeout_s=asked_s)
    await house.pass_time(limit_s - 1)
    assert house.made[0].stopped == []
    await house.pass_time(1.5)
    assert len(house.made[0].stopped) == 1


async def test_an_attempt_that_has_not_begun_has_no_limit_yet(house: House) -> None:
    await house.submit("a")
    await house.running("a")
    await house.pass_time(TIMEOUT_S + 5)
    assert house.made[0].stopped == []


async def test_the_replica_of_one_that_ignores_its_stop_is_killed(house: House) -> None:
    await running(house, "a", timeout_s=1)
    await house.pass_time(1 + GRACE_S + 1)
    assert kind(await ended(house, "a")) is FailureKind.TIMED_OUT
    await eventually(lambda: len(house.made) == 2)
    await house.submit("b")
    (attempt,) = await house.running("b")
    assert attempt in house.made[1].running


async def test_a_cancelled_one_ends_after_its_grace(house: House) -> None:
    await running(house, "a")
    assert await house.engine.cancel("a") is Cancellation.ASKED
    await house.pass_time(GRACE_S - 1)
    assert (await house.get("a")).status is Status.RUNNING
    await house.pass_time(2)
    assert (await ended(house, "a")).status is Status.CANCELLED


async def test_neighbours_end_before_their_replica(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        deaf, neighbour = await running(house, "deaf", "neighbour")
        await house.engine.cancel("deaf")
        await house.pass_time(GRACE_S + 1)
        assert (await ended(house, "deaf")).status is Status.CANCELLED
        old, new = house.made
        await house.submit("next")
        await house.running("next")
        assert len(new.running) == 1
        assert old.running == [neighbour]
        old.end(deaf)  # too late
        old.end(neighbour)
        await eventually(lambda: house.settled() == 2)
        assert (await house.get("neighbour")).status is Status.SUCCEEDED
        await eventually(lambda: "a replica died" in caplog.text)
    assert "an attempt ignored its stop" in caplog.text


async def test_a_limit_in_a_silent_replica_is_a_crash(house: House) -> None:
    await running(house, "a", timeout_s=1)
    await running(house, "b")
    house.made[0].silent_s = GRACE_S
    await house.pass_time(1 + GRACE_S + 1)
    assert [(await house.get(each)).attempt for each in ("a", "b")] == [1, 1]
    again = await house.running("a", "b")
    assert [attempt.delivery.attempt for attempt in again] == [2, 2]


async def test_one_alone_in_a_silent_replica_has_timed_out(house: House) -> None:
    await running(house, "a", timeout_s=1)
    house.made[0].silent_s = GRACE_S
    await house.pass_time(1 + GRACE_S + 1)
    assert kind(await ended(house, "a")) is FailureKind.TIMED_OUT


async def test_a_cancel_in_a_silent_replica_harms_no_neighbour(house: House) -> None:
    _, neighbour = await running(house, "a", "b")
    house.made[0].silent_s = GRACE_S
    await house.engine.cancel("a")
    await house.pass_time(GRACE_S + 1)
    assert (await ended(house, "a")).status is Status.CANCELLED
    assert house.made[0].running == [neighbour]
    house.made[0].end(neighbour)


async def test_a_replica_is_replaced_by_one_at_a_time(house: House) -> None:
    for number in (1, 2):
        await running(house, f"deaf{number}", f"neighbour{number}")
        await house.engine.cancel(f"deaf{number}")
        await house.pass_time(GRACE_S + 1)
    assert len(house.made) == 2  # the first one has not ended
    (neighbour,) = await house.running("neighbour1")
    house.made[0].end(neighbour)
    await eventually(lambda: len(house.made) == 3)


async def deaf_with_neighbour(house: House) -> tuple[Attempt, Attempt]:
    """Two attempts of a replica that is being replaced: one that ignored its stop, and its neighbour."""
    deaf, neighbour = await running(house, "deaf", "neighbour")
    await house.engine.cancel("deaf")
    await house.pass_time(GRACE_S + 1)
    await eventually(lambda: len(house.made) >= 2)
    return deaf, neighbour


async def test_a_replica_works_until_the_next_has_its_model(house: House) -> None:
    house.gate = asyncio.Event()
    _, neighbour = await deaf_with_neighbour(house)
    old, new = house.made
    assert old.slots == 1  # the other one is held
    old.end(neighbour)
    await house.submit("a")
    (attempt,) = await house.running("a")
    assert old.running == [attempt]
    house.gate.set()
    await house.submit("b")
    await house.running("a", "b")
    assert len(new.running) == 1
    assert old.alive
    old.end(attempt)
    await eventually(lambda: not old.alive)


async def test_a_replica_works_on_when_no_other_can_start(house: House) -> None:
    house.refusal = "No."
    _, neighbour = await deaf_with_neighbour(house)
    old = house.made[0]
    old.end(neighbour)
    await house.submit("a")
    (attempt,) = await house.running("a")
    assert old.running == [attempt]
    house.refusal = ""
    await house.pass_time(10)
    await house.submit("b")
    await house.running("a", "b")
    assert old.running == [attempt]


async def test_a_slot_that_was_held_is_there_again(house: House) -> None:
    house.gate = asyncio.Event()
    deaf, neighbour = await deaf_with_neighbour(house)
    house.made[0].end(deaf)
    assert house.made[0].slots == 2
    house.made[0].end(neighbour)


async def test_a_replica_that_dies_while_it_is_replaced_is_gone(house: House) -> None:
    house.gate = asyncio.Event()
    await deaf_with_neighbour(house)
    old, new = house.made
    old.die("was killed")
    house.gate.set()
    await house.running("neighbour")
    assert [attempt.delivery.attempt for attempt in new.running] == [2]
    assert len(house.made) == 2


async def test_a_load_that_takes_too_long_is_ended(house: House) -> None:
    house.gate = asyncio.Event()
    house.made[0].die("was killed")
    await house.pass_time(1)
    assert len(house.made) == 2
    await house.pass_time(SETUP_TIMEOUT_S - 1)
    assert house.made[1].alive
    await house.pass_time(2)
    assert not house.made[1].alive
    assert "The model took longer than 300 s to load (--setup-timeout-s)." in (house.worker.state().problem or "")
    house.gate.set()
    await house.pass_time(3)
    assert len(house.made) == 3


async def test_one_that_dies_behind_another_is_started_again(house: House) -> None:
    await deaf_with_neighbour(house)  # the first replica ends once the neighbour has
    await running(house, "deaf2", "neighbour2")
    await house.engine.cancel("deaf2")
    await house.pass_time(GRACE_S + 1)
    assert len(house.made) == 2
    house.made[1].die("was killed")
    await eventually(lambda: len(house.made) == 3)
    await house.running("neighbour2")
    assert house.made[0].alive


async def test_one_beside_an_abandoned_attempt_is_not_alone(house: House) -> None:
    house.gate = asyncio.Event()
    await running(house, "deaf")
    await running(house, "neighbour", timeout_s=20)
    await house.engine.cancel("deaf")
    await house.pass_time(GRACE_S + 1)
    house.made[0].silent_s = GRACE_S
    await house.pass_time(20)
    assert (await house.get("neighbour")).outcome is None
    house.gate.set()
    (again,) = await house.running("neighbour")
    assert again.delivery.attempt == 2


async def test_a_cancelled_one_that_never_began_ends_after_its_grace(house: House) -> None:
    await running(house, "holder")
    await house.submit("a")
    (attempt,) = [each for each in await house.running("a", "holder") if each.delivery.message.prediction_id == "a"]
    house.made[0].silent_s = GRACE_S
    await house.engine.cancel("a")
    await house.pass_time(GRACE_S + 1)
    assert (await ended(house, "a")).status is Status.CANCELLED
    assert len(house.made) == 1
    house.made[0].end(attempt, Stopped(2, begun=False, run_s=0.0))
    assert house.made[0].slots == 2


async def test_a_beginning_in_a_replica_that_leaves_is_recorded(house: House) -> None:
    house.gate = asyncio.Event()
    _, neighbour = await deaf_with_neighbour(house)
    house.made[0].end(neighbour)
    await house.submit("a")
    await house.running("a")
    house.gate.set()
    await house.pass_time(1)
    house.made[0].begin()
    await house.pass_time(1)
    assert "a" in house.engine.begun


async def test_a_slot_that_is_there_again_is_used(house: House) -> None:
    house.gate = asyncio.Event()
    deaf, _ = await deaf_with_neighbour(house)
    await house.submit("a")
    await house.pass_time(1)
    assert len(house.made[0].running) == 1
    house.made[0].end(deaf)
    await house.running("a")
