"""Who gets the next free slot."""

import asyncio

from zypher.settings import LogSettings
from zypher.worker.replica import Launch, Replica
from zypher.worker.slots import Slots


def replica(slots: int, number: int = 1) -> Replica:
    made = Replica(number, Launch("nobody:starts_it", None, LogSettings()))
    made.slots = slots
    return made


def asks(slots: Slots, *, alone: bool = False) -> "asyncio.Task[Replica | None]":
    return asyncio.create_task(slots.take(alone=alone))


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_the_least_busy_replica_is_taken() -> None:
    slots, first, second = Slots(), replica(2, 1), replica(2, 2)
    slots.add(first)
    slots.add(second)

    taken = [await slots.take(alone=False) for _ in range(4)]

    assert taken.count(first) == taken.count(second) == 2
    assert taken[0] is not taken[1]
    assert slots.total == 4
    assert slots.replicas == 2


async def test_waiters_are_served_in_order() -> None:
    slots, only = Slots(), replica(1)
    slots.add(only)
    await slots.take(alone=False)
    waiting = [asks(slots) for _ in range(2)]
    await turn()

    slots.free(only)
    await turn()

    assert [each.done() for each in waiting] == [True, False]
    slots.free(only)
    assert await waiting[1] is only


async def test_an_exclusive_attempt_waits_for_an_empty_replica() -> None:
    slots, only = Slots(), replica(3)
    slots.add(only)
    await slots.take(alone=False)
    solitary = asks(slots, alone=True)
    await turn()
    behind = asks(slots)
    await turn()
    assert not solitary.done()

    slots.free(only)
    assert await solitary is only
    await turn()
    assert not behind.done()

    slots.free(only)
    assert await behind is only


async def test_ordinary_attempts_run_between_exclusive_ones() -> None:
    slots, only = Slots(), replica(3)
    slots.add(only)
    assert await slots.take(alone=True) is only
    second = asks(slots, alone=True)
    await turn()
    ordinary = [asks(slots) for _ in range(3)]
    await turn()

    slots.free(only)
    await turn()

    assert all(each.done() for each in ordinary)
    assert not second.done()
    for _ in ordinary:
        slots.free(only)
    assert await second is only


async def test_exclusive_attempts_occupy_one_replica_only() -> None:
    slots, first, second = Slots(), replica(2, 1), replica(2, 2)
    slots.add(first)
    slots.add(second)
    held = await slots.take(alone=True)
    other = second if held is first else first
    waiting = asks(slots, alone=True)
    await turn()

    assert await slots.take(alone=False) is other
    assert await slots.take(alone=False) is other
    assert not waiting.done()
    waiting.cancel()


async def test_with_single_slots_everybody_runs_alone() -> None:
    slots, first, second = Slots(), replica(1, 1), replica(1, 2)
    slots.add(first)
    slots.add(second)

    assert {await slots.take(alone=True), await slots.take(alone=True)} == {first, second}


async def test_without_replicas_waiting_ends() -> None:
    slots, dead = Slots(), replica(2)
    slots.add(dead)
    for _ in range(2):
        await slots.take(alone=False)
    waiting = [asks(slots), asks(slots, alone=True)]
    await turn()

    dead.slots = 0
    slots.remove(dead)
    slots.free(dead)
    slots.free(dead)

    assert [await each for each in waiting] == [None, None]
    assert await slots.take(alone=False) is None
    assert slots.total == 0


async def test_the_heir_of_a_dead_replica_begins_empty() -> None:
    slots, dead, heir = Slots(), replica(1, 1), replica(1, 2)
    slots.add(dead)
    await slots.take(alone=False)
    slots.add(heir)
    dead.slots = 0
    slots.remove(dead)

    assert await slots.take(alone=False) is heir
    slots.free(dead)
    late = asks(slots)
    await turn()
    assert not late.done()
    slots.free(heir)
    assert await late is heir


async def test_a_cancelled_waiter_takes_no_slot() -> None:
    slots, only = Slots(), replica(1)
    slots.add(only)
    await slots.take(alone=False)
    gone, stays = asks(slots), asks(slots)
    await turn()
    gone.cancel()
    await turn()

    slots.free(only)

    assert await stays is only


async def test_a_cancelled_waiter_returns_its_slot() -> None:
    slots, only = Slots(), replica(2)
    slots.add(only)
    await slots.take(alone=False)
    solitary = asks(slots, alone=True)
    await turn()

    slots.free(only)
    solitary.cancel()
    await turn()

    assert await slots.take(alone=False) is only
    assert await slots.take(alone=False) is only


async def test_an_unused_quarantine_ends() -> None:
    slots, only = Slots(), replica(2)
    slots.add(only)
    await slots.take(alone=False)
    solitary = asks(slots, alone=True)
    await turn()
    ordinary = asks(slots)
    await turn()
    assert not ordinary.done()

    solitary.cancel()

    assert await ordinary is only
