"""Who gets the next free slot."""

import asyncio

from zypher.settings import LogSettings
from zypher.worker.replica import Launch, Replica
from zypher.worker.slots import Slots


def replica(slots: int, number: int = 1) -> Replica:
    made = Replica(number, Launch("nobody:starts_it", None, LogSettings()))
    made.slots = slots
    return made


async def test_the_least_busy_replica_is_taken() -> None:
    slots, first, second = Slots(), replica(2, 1), replica(2, 2)
    slots.add(first)
    slots.add(second)

    taken = [await slots.take(alone=False) for _ in range(4)]

    assert sorted(each.number for each in taken) == [1, 1, 2, 2]
    assert taken[0] is not taken[1]
    assert slots.total == 4


async def test_who_asks_first_is_served_first() -> None:
    slots, only = Slots(), replica(1)
    slots.add(only)
    await slots.take(alone=False)
    waiting = [asyncio.ensure_future(slots.take(alone=False)) for _ in range(2)]
    await asyncio.sleep(0)

    slots.free(only)
    await asyncio.sleep(0)

    assert [each.done() for each in waiting] == [True, False]
    slots.free(only)
    assert await waiting[1] is only


async def test_who_runs_alone_waits_for_an_idle_replica_and_keeps_it() -> None:
    slots, only = Slots(), replica(3)
    slots.add(only)
    await slots.take(alone=False)
    solitary = asyncio.ensure_future(slots.take(alone=True))
    behind = asyncio.ensure_future(slots.take(alone=False))
    await asyncio.sleep(0)
    assert not solitary.done()

    slots.free(only)
    assert await solitary is only
    await asyncio.sleep(0)
    assert not behind.done()

    slots.free(only)
    assert await behind is only


async def test_a_dead_replica_gets_nothing() -> None:
    slots, dead, heir = Slots(), replica(1, 1), replica(1, 2)
    slots.add(dead)
    await slots.take(alone=False)
    waiting = asyncio.ensure_future(slots.take(alone=False))
    await asyncio.sleep(0)

    dead.slots = 0
    slots.remove(dead)
    slots.free(dead)
    assert not waiting.done()
    assert slots.total == 0

    slots.add(heir)
    assert await waiting is heir


async def test_who_gives_up_waiting_takes_no_slot() -> None:
    slots, only = Slots(), replica(1)
    slots.add(only)
    await slots.take(alone=False)
    gone = asyncio.ensure_future(slots.take(alone=False))
    stays = asyncio.ensure_future(slots.take(alone=False))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)

    slots.free(only)

    assert await stays is only
