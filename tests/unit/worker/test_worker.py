"""What a worker does with the predictions of its model."""

import asyncio
import gc
import logging
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.fake_clock import eventually
from tests.fake_replica import CARD
from tests.unit.worker.house import LEASE_S, SILENCE_S, House
from zypher.engines.contract import Settlement
from zypher.errors import TargetError
from zypher.prediction import Delivery, FailureKind, Status, StopReason
from zypher.worker.protocol import Succeeded


async def test_an_output_is_settled_and_frees_its_slot(house: House) -> None:
    await house.submit("a", "b", "c")
    (a,) = (await house.running("a", "b"))[:1]

    house.made[0].end(a, Succeeded(1, b'"out"', 0.5))

    await house.running("c")
    ended = await house.engine.get("a", wait_s=None)
    assert ended is not None
    assert (ended.status, ended.attempt) == (Status.SUCCEEDED, 1)


async def test_a_crash_charges_only_what_had_begun(house: House) -> None:
    await house.submit("begun", "waiting")
    await house.running("begun", "waiting")
    replica = house.made[0]
    replica.running.reverse()
    waiting = replica.running.pop(0)
    replica.begin()
    replica.running.append(waiting)

    replica.die("was killed")

    again = await house.running("begun", "waiting")
    assert [attempt.delivery.attempt for attempt in again] == [2, 1]


async def test_the_last_attempt_is_exclusive_and_fails_alone(house: House) -> None:
    await house.submit("poison")
    for _ in range(2):
        await house.running("poison")
        house.made[-1].begin()
        made = len(house.made)
        house.made[-1].die("was killed")
        await eventually(lambda made=made: len(house.made) > made)
    await house.submit("neighbour")
    await house.running("poison")
    await house.pass_time(1)
    assert len(house.made[-1].running) == 1

    house.made[-1].begin()
    house.made[-1].die("was killed")

    (neighbour,) = await house.running("neighbour")
    assert neighbour.delivery.attempt == 1
    poison = await house.engine.get("poison", wait_s=None)
    assert poison is not None
    assert poison.outcome is not None
    assert poison.outcome.failure is not None
    assert poison.outcome.failure.kind is FailureKind.WORKER_LOST


async def test_a_beginning_is_recorded_once_soon_after(house: House) -> None:
    await house.submit("a", "b")
    await house.running("a", "b")
    await house.pass_time(1)
    assert house.engine.begun == []

    house.made[0].begin()
    await house.pass_time(1)
    await house.pass_time(5)

    assert sorted(house.engine.begun) == ["a", "b"]
    assert (await house.get("a")).attempt == 1


async def test_an_unrecorded_beginning_is_recorded_after_an_outage(house: House) -> None:
    house.engine.away = {"begin"}
    await house.submit("a")
    await house.running("a")
    house.made[0].begin()
    await house.pass_time(3)

    house.engine.away = set()
    await house.pass_time(3)

    assert house.engine.begun == ["a"]


async def test_what_vanished_twice_is_recorded_before_it_begins(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.submit("a")
    for hand_out in range(1, 5):
        await house.running("a")
        assert ("a" in house.engine.begun) == (hand_out > 2)
        house.engine.begun.clear()
        made = len(house.made)
        house.made[-1].die("was killed")
        await eventually(lambda made=made: len(house.made) > made)
    with caplog.at_level(logging.ERROR):
        await house.running("a")
    assert "handed out again and again without beginning" in caplog.text
    assert (await house.get("a")).status is Status.RUNNING


async def test_an_attempt_whose_lease_is_lost_is_stopped(house: House) -> None:
    await house.submit("a")
    (attempt,) = await house.running("a")
    let = house.engine.hold("extend")  # no extension returns, while its lease ends
    house.clock.advance(LEASE_S / 3)
    await asyncio.sleep(0)
    for _ in range(6):
        house.clock.advance(LEASE_S / 5)
    let.set()

    await eventually(lambda: house.made[0].stopped)

    assert house.made[0].stopped == [(attempt, StopReason.LEASE_LOST)]
    house.made[0].end(attempt)
    await eventually(lambda: house.made[0].running)
    assert house.made[0].running[0].delivery.receipt != attempt.delivery.receipt
    assert house.settled() == 0


async def test_only_an_outcome_that_counts_is_counted(house: House) -> None:
    await house.submit("a")
    (attempt,) = await house.running("a")
    await house.engine.release(attempt.delivery, counted=False)
    house.made[0].end(attempt)
    (again,) = await house.running("a")
    assert house.settled() == 0

    house.made[0].end(again)

    await eventually(lambda: house.settled() == 1)


async def test_leases_are_extended_at_once_after_an_outage(house: House) -> None:
    await house.submit("a")
    (attempt,) = await house.running("a")
    house.engine.away = {"extend"}
    await house.pass_time(LEASE_S - 3)
    house.engine.away = set()
    await house.pass_time(LEASE_S)

    assert house.made[0].stopped == []
    assert house.made[0].running == [attempt]


async def test_a_worker_is_announced_while_extending_hangs(house: House) -> None:
    house.engine.hold("extend")
    await house.pass_time(LEASE_S / 3 + 1)
    house.engine.announced.clear()

    await house.pass_time(LEASE_S / 3 + 1)

    assert house.engine.announced


async def test_a_silent_replica_is_set_aside_and_named(house: House) -> None:
    await house.submit("a")
    await house.running("a")
    replica = house.made[0]
    replica.begin()
    replica.silent_s = SILENCE_S

    await house.pass_time(SILENCE_S / 6 + 1)

    assert house.worker.state().stuck == ("Replica 1 has not answered for 60 s; it runs a.",)
    assert (house.worker.state().ready_replicas, house.engine.announced[-1].ready_replicas) == (0, 0)
    await house.submit("b")
    await house.pass_time(1)
    assert len(replica.running) == 1

    replica.silent_s = 0.0
    await house.pass_time(SILENCE_S / 6 + 1)
    assert house.worker.state().stuck == ()
    await house.running("a", "b")


async def test_a_drain_waits_for_what_runs_and_receives_no_more(house: House) -> None:
    await house.submit("a")
    (a,) = await house.running("a")
    draining = asyncio.create_task(house.worker.drain(10))
    await house.pass_time(1)
    await house.submit("b")
    assert house.engine.announced[-1].draining

    house.made[0].end(a)
    await draining

    assert (await house.get("b")).status is Status.QUEUED


async def test_what_a_drain_interrupts_is_handed_back_uncharged(house: House) -> None:
    await house.submit("a")
    await house.running("a")
    house.made[0].begin()
    await house.pass_time(1)
    assert (await house.get("a")).attempt == 1
    draining = asyncio.create_task(house.worker.drain(10))
    await house.pass_time(11)
    await draining

    await house.worker.stop()

    handed_back = await house.get("a")
    assert (handed_back.status, handed_back.attempt) == (Status.QUEUED, 0)


async def test_a_stop_ends_every_replica_and_is_announced() -> None:
    house = House(replicas=3)
    await house.open()
    await eventually(lambda: len(house.made) == 3)
    await house.close()
    assert [replica.slots for replica in house.made] == [0, 0, 0]
    last = house.engine.announced[-1]
    assert (last.gone, last.ready_replicas, last.slots, last.draining) == (True, 0, 0, True)


def finished_tasks() -> int:
    """How many tasks are held though they have ended."""
    gc.collect()
    return sum(isinstance(each, asyncio.Task) and each.done() for each in gc.get_objects())


async def test_what_was_settled_leaves_no_task_in_memory(house: House) -> None:
    before = finished_tasks()
    for number in range(20):
        await house.submit(f"p{number}")
        (attempt,) = await house.running(f"p{number}")
        house.made[0].end(attempt)
    await eventually(lambda: house.settled() == 20)
    assert finished_tasks() < before + 10


async def test_no_more_is_received_while_too_many_outcomes_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(slots=2_000)
    await house.open()
    settle = house.engine.settle
    let = asyncio.Event()

    async def slow(settlements: Sequence[Settlement]) -> list[bool]:
        await let.wait()
        return await settle(settlements)

    monkeypatch.setattr(house.engine, "settle", slow)
    await house.submit(*(f"p{number:04}" for number in range(1_000)))
    for attempt in await house.running(*(f"p{number:04}" for number in range(1_000))):
        house.made[0].end(attempt)
    await house.pass_time(1)
    await house.submit("late")
    await house.pass_time(1)
    assert house.made[0].running in ([], house.made[0].running[:1])
    await house.submit("later")
    await house.pass_time(1)
    assert len(house.made[0].running) <= 1

    let.set()
    await house.running("late", "later")
    await house.close()


async def test_a_model_that_cannot_load_fails_the_start() -> None:
    house = House()
    house.refusal = "There is no file `model.py`."
    await house.engine.open()
    house.worker.start()

    with pytest.raises(TargetError, match="There is no file"):
        await house.worker.run()

    await house.close()


async def test_a_model_that_loads_later_is_run_then() -> None:
    house = House()
    house.refusal = "There is no file `model.py`."
    await house.engine.open()
    house.worker.start()
    with pytest.raises(TargetError):
        await house.worker.run()
    house.worker.assume(replace(CARD, description="known"))
    await eventually(lambda: house.engine.announced)
    assert house.engine.announced[-1].problem == "There is no file `model.py`."
    assert house.engine.announced[-1].card == replace(CARD, description="known")

    running = asyncio.create_task(house.worker.run())
    house.refusal = ""
    await house.submit("a")
    await house.pass_time(2)
    await running
    await house.running("a")
    assert house.worker.state().card == CARD

    await house.worker.stop()
    assert house.engine.announced[-1].gone
    await house.engine.close()


async def test_a_worker_that_never_loaded_its_model_stops_being_announced() -> None:
    house = House()
    house.refusal = "There is no file `model.py`."
    await house.engine.open()
    house.worker.start()
    with pytest.raises(TargetError):
        await house.worker.run()
    house.worker.assume(CARD)
    await eventually(lambda: house.engine.announced)
    await house.worker.stop()
    assert house.engine.announced[-1].gone
    await house.engine.close()


async def test_a_load_between_two_runs_is_not_missed() -> None:
    house = House()
    house.refusal = "There is no file `model.py`."
    await house.engine.open()
    house.worker.start()
    with pytest.raises(TargetError):
        await house.worker.run()
    house.refusal = ""
    await house.pass_time(2)
    assert await house.worker.run() == CARD
    await house.close()


async def test_a_replica_that_cannot_start_is_tried_ever_later(house: House) -> None:
    house.refusal = "Its weights are gone."
    house.made[0].die("was killed")
    await house.pass_time(20)

    assert len(house.made) == 1 + 5  # after 0.5, 1, 2, 4, 8 s
    assert house.worker.state().problem == "Its weights are gone."
    assert house.engine.announced[-1].problem == "Its weights are gone."


async def test_a_part_that_dies_takes_the_worker_with_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(deliveries: Sequence[Delivery]) -> None:
        raise ValueError("an error of ours")

    monkeypatch.setattr(house.engine, "extend", broken)
    await house.pass_time(LEASE_S / 3 + 1)

    with pytest.raises(ValueError, match="an error of ours"):
        await house.worker.died
