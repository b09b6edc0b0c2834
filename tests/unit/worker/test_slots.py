"""Which attempt gets the next free slot."""

import msgspec
import pytest

from tests.fake_replica import FakeReplica
from tests.unit.worker.conftest import attempts, delivery
from zypher.worker.attempt import Attempt, Endings, Lost
from zypher.worker.slots import Slots


@pytest.fixture
async def slots(endings: Endings) -> Slots:
    return Slots(endings, max_attempts=3)


async def ready(slots: Slots, endings: Endings, count: int, number: int = 1) -> FakeReplica:
    replica = FakeReplica(endings, count, number)
    await replica.loaded()
    slots.add(replica)
    return replica


def run(slots: Slots, *given: Attempt, exclusive: bool = False) -> None:
    for attempt in given:
        attempt.delivery = msgspec.structs.replace(attempt.delivery, attempt=3 if exclusive else 1)
        slots.run(attempt)


def end(slots: Slots, replica: FakeReplica, attempt: Attempt) -> None:
    replica.end(attempt)
    slots.give_back(attempt)


async def test_the_least_busy_replica_is_taken(slots: Slots, endings: Endings) -> None:
    first, second = await ready(slots, endings, 2), await ready(slots, endings, 2, 2)

    given = attempts(4)
    run(slots, *given)

    assert [first.running, second.running] == [given[::2], given[1::2]]
    assert (slots.total, slots.replicas, slots.free) == (4, 2, 0)


async def test_waiting_attempts_are_served_in_order(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 1)
    given = attempts(3)
    run(slots, *given)
    assert (only.running, slots.free) == ([given[0]], -2)

    end(slots, only, given[0])
    assert only.running == [given[1]]
    end(slots, only, given[1])
    assert only.running == [given[2]]


async def test_an_exclusive_attempt_waits_for_an_empty_replica(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 3)
    first, exclusive, behind = attempts(3)
    run(slots, first)
    run(slots, exclusive, exclusive=True)
    run(slots, behind)
    assert only.running == [first]

    end(slots, only, first)
    assert only.running == [exclusive]
    end(slots, only, exclusive)
    assert only.running == [behind]


@pytest.mark.parametrize("count", [2, 3])
async def test_an_exclusive_attempt_is_never_beside_an_abandoned_one(
    slots: Slots, endings: Endings, count: int
) -> None:
    only = await ready(slots, endings, count)
    deaf, exclusive, behind = attempts(3)
    run(slots, deaf)
    only.abandon(deaf, Lost("is over", begun=True))
    slots.give_back(deaf)
    run(slots, exclusive, exclusive=True)
    assert only.running == []
    only.end(deaf)
    slots.look_again()
    assert only.running == [exclusive]
    run(slots, behind)
    assert only.running == [exclusive]


async def test_ordinary_attempts_run_between_exclusive_ones(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 3)
    first, second, *ordinary = attempts(5)
    run(slots, first, second, exclusive=True)
    run(slots, *ordinary)
    assert only.running == [first]

    end(slots, only, first)
    assert only.running == ordinary
    for attempt in ordinary:
        end(slots, only, attempt)
    assert only.running == [second]


async def test_exclusive_attempts_occupy_one_replica_only(slots: Slots, endings: Endings) -> None:
    replicas = [await ready(slots, endings, 2, number) for number in (1, 2)]
    first, second, *ordinary = attempts(4)
    run(slots, first, second, exclusive=True)
    run(slots, *ordinary)

    (held,) = [replica for replica in replicas if replica.running == [first]]
    (other,) = [replica for replica in replicas if replica is not held]
    assert other.running == ordinary


async def test_with_single_slots_every_attempt_is_exclusive(slots: Slots, endings: Endings) -> None:
    replicas = [await ready(slots, endings, 1, number) for number in (1, 2)]
    run(slots, *attempts(2), exclusive=True)
    assert [len(replica.running) for replica in replicas] == [1, 1]


async def test_without_a_replica_waiting_attempts_are_lost_unbegun(slots: Slots, endings: Endings) -> None:
    dead = await ready(slots, endings, 1)
    first, waiting, exclusive, late = attempts(4)
    run(slots, first, waiting)
    run(slots, exclusive, exclusive=True)

    dead.slots = 0
    slots.remove(dead)
    run(slots, late)

    assert await endings.take() == [waiting, exclusive, late]
    assert {attempt.ending for attempt in (waiting, exclusive, late)} == {Lost("had ended", begun=False)}
    assert slots.total == 0


async def test_the_heir_of_a_dead_replica_begins_empty(slots: Slots, endings: Endings) -> None:
    dead, heir = await ready(slots, endings, 1), await ready(slots, endings, 1, 2)
    first, second, third = attempts(3)
    run(slots, first)
    dead.slots = 0
    slots.remove(dead)

    run(slots, second, third)
    assert heir.running == [second]
    slots.give_back(first)
    assert heir.running == [second]
    end(slots, heir, second)
    assert heir.running == [third]


async def test_a_replica_set_aside_keeps_its_slots_taken(slots: Slots, endings: Endings) -> None:
    stuck, other = await ready(slots, endings, 2), await ready(slots, endings, 1, 2)
    first, second, third, fourth = attempts(4)
    run(slots, first)
    slots.remove(stuck)
    assert slots.free == 1

    run(slots, second, third)
    assert other.running == [second]
    slots.add(stuck)
    assert stuck.running == [first, third]
    run(slots, fourth)
    assert slots.free == -1


async def test_a_dropped_attempt_takes_no_slot(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 1)
    first, dropped, stays = attempts(3)
    run(slots, first, dropped, stays)

    assert slots.drop(dropped) is None
    assert slots.drop(first) is only
    end(slots, only, first)

    assert only.running == [stays]


async def test_a_dropped_exclusive_attempt_ends_its_reservation(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 2)
    first, exclusive, ordinary = attempts(3)
    run(slots, first)
    run(slots, exclusive, exclusive=True)
    run(slots, ordinary)
    assert only.running == [first]

    slots.drop(exclusive)

    assert only.running == [first, ordinary]


async def test_one_after_the_last_attempt_is_lost_as_begun(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 1)
    beyond = Attempt(delivery(attempt=4))

    slots.run(beyond)

    assert await endings.take() == [beyond]
    assert beyond.ending == Lost("ended, or was silent for longer than a lease", begun=True)
    assert only.running == []


async def test_a_dead_replica_gets_no_exclusive_attempt(slots: Slots, endings: Endings) -> None:
    dead, heir = await ready(slots, endings, 2), FakeReplica(endings, 2, 2)
    first, exclusive = attempts(2)
    run(slots, first)
    run(slots, exclusive, exclusive=True)

    dead.slots = 0  # its death is noticed, and it is not yet removed
    end(slots, dead, first)
    assert dead.running == []

    await heir.loaded()
    slots.add(heir)
    slots.remove(dead)
    assert heir.running == [exclusive]


async def test_an_exclusive_attempt_stays_alone_when_its_replica_returns(slots: Slots, endings: Endings) -> None:
    only, other = await ready(slots, endings, 2), FakeReplica(endings, 1, 2)
    exclusive, second, ordinary = attempts(3)
    run(slots, exclusive, exclusive=True)
    slots.set_aside(only)
    await other.loaded()
    slots.add(other)
    run(slots, second, exclusive=True)
    assert other.running == [second]

    slots.add(only)
    run(slots, ordinary)
    assert only.running == [exclusive]

    end(slots, only, exclusive)
    assert only.running == [ordinary]


async def test_a_last_attempt_is_exclusive_while_a_replica_dies(slots: Slots, endings: Endings) -> None:
    dying, heir = await ready(slots, endings, 2), FakeReplica(endings, 2, 2)
    dying.slots = 0
    exclusive, ordinary = attempts(2)
    run(slots, exclusive, exclusive=True)
    await heir.loaded()
    slots.add(heir)
    slots.remove(dying)
    run(slots, ordinary)
    assert heir.running == [exclusive]


async def test_a_dropped_attempt_makes_room(slots: Slots, endings: Endings) -> None:
    await ready(slots, endings, 2)
    first, exclusive = attempts(2)
    run(slots, first)
    run(slots, exclusive, exclusive=True)
    slots.room.clear()

    slots.drop(exclusive)

    assert slots.room.is_set()
    assert slots.free == 1


async def test_an_ended_attempt_makes_room(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 1)
    (attempt,) = attempts(1)
    run(slots, attempt)
    slots.room.clear()

    end(slots, only, attempt)

    assert slots.room.is_set()
    assert slots.free == 1


def careful(count: int) -> list[Attempt]:
    made = attempts(count)
    for attempt in made:
        attempt.careful = True
    return made


async def test_a_careful_attempt_is_recorded_once_it_has_its_slot(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 2)
    first, second = careful(2)
    run(slots, first, second, exclusive=True)
    assert await slots.unrecorded() == [first]
    assert only.running == []
    slots.let_run(first, recorded=True)
    assert only.running == [first]
    end(slots, only, first)
    assert await slots.unrecorded() == [second]


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_careful_attempt_without_record_or_replica_is_lost(
    slots: Slots, endings: Endings, recorded: bool
) -> None:
    only = await ready(slots, endings, 2)
    (attempt,) = careful(1)
    run(slots, attempt)
    if recorded:
        slots.remove(only)
    slots.let_run(attempt, recorded=recorded)
    assert await endings.take() == [attempt]
    assert attempt.ending == Lost("had ended", begun=False)
    assert only.running == []


async def test_a_careful_attempt_that_is_dropped_gives_its_slot_back(slots: Slots, endings: Endings) -> None:
    only = await ready(slots, endings, 1)
    (attempt,) = careful(1)
    run(slots, attempt)
    assert slots.drop(attempt) is None
    slots.let_run(attempt, recorded=True)
    assert (only.running, slots.free) == ([], 1)
