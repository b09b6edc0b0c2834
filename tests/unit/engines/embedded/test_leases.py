"""Leases of a process that is stopped for a while: its worker could not extend them."""

from pathlib import Path

import pytest

from tests.contract.phrases import MODEL, SUCCEEDED, receive_one, settle_one, submit_many
from tests.unit.engines.embedded.opened import LEASE_S, UnevenClock, opened

THIRD_S = LEASE_S / 3


async def test_a_stall_of_the_process_ends_no_lease(tmp_path: Path) -> None:
    clock = UnevenClock()
    async with opened(tmp_path, clock) as engine:
        await submit_many(engine, 2)
        deliveries = await engine.receive(MODEL, 2, 0)
        clock.stall(2 * LEASE_S)
        await engine.extend(deliveries)
        assert await engine.stops(0) == []
        assert await settle_one(engine, deliveries[0], SUCCEEDED)


@pytest.mark.parametrize("extended_s", [0.1, THIRD_S - 0.1])
@pytest.mark.parametrize("stalled_s", [2 * THIRD_S, 2 * THIRD_S + 1, LEASE_S, 4 * THIRD_S, 10 * LEASE_S])
async def test_a_stall_does_not_end_extended_leases(tmp_path: Path, stalled_s: float, extended_s: float) -> None:
    clock = UnevenClock()
    async with opened(tmp_path, clock) as engine:
        await submit_many(engine, 1)
        delivery = await receive_one(engine)
        clock.advance(extended_s)
        await engine.extend([delivery])
        clock.advance(THIRD_S)  # the next extension would come now
        clock.stall(stalled_s)
        await engine.extend([delivery])
        assert await engine.stops(0) == []
        assert await settle_one(engine, delivery, SUCCEEDED)


async def test_a_short_stall_begins_no_lease_anew(tmp_path: Path) -> None:
    clock = UnevenClock()
    async with opened(tmp_path, clock) as engine:
        await submit_many(engine, 1)
        await receive_one(engine)
        clock.stall(2 * THIRD_S - 1)  # a check is due after a third, so this one is late by less than a third
        clock.advance(LEASE_S - 2 * THIRD_S + 1)
        assert (await engine.queues(MODEL))[MODEL].queued == 1


async def test_an_unextended_lease_ends_one_lease_after_a_stall(tmp_path: Path) -> None:
    clock = UnevenClock()
    async with opened(tmp_path, clock) as engine:
        await submit_many(engine, 1)
        lost = await receive_one(engine)
        clock.stall(2 * LEASE_S)
        clock.advance(LEASE_S - 1)
        assert (await engine.queues(MODEL))[MODEL].running == 1
        clock.advance(1)
        assert (await engine.queues(MODEL))[MODEL].queued == 1
        assert not await settle_one(engine, lost, SUCCEEDED)
