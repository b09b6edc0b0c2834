"""The dead letters of an embedded engine: what they cost, and what a disk that does not store leaves of them."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from tests.contract.phrases import LOST, MODEL, message, receive_one, settle_one, status, submit_one, turns
from tests.fake_clock import FakeClock
from tests.unit.engines.embedded.opened import opened, opened_with, unwritable
from zypher.engines.contract import Engine
from zypher.engines.embedded.disk.journal import DiskJournal
from zypher.engines.embedded.journal import FindResult, Lost, Read, Replay, Write
from zypher.errors import EngineUnavailable
from zypher.prediction import Status


class CountingClock(FakeClock):
    def __init__(self) -> None:
        super().__init__()
        self.readings = 0

    def now(self) -> datetime:
        self.readings += 1
        return super().now()


async def make_dead(engine: Engine, clock: FakeClock, number: int) -> list[str]:
    """Let so many predictions lose all their replicas, a second apart; returns their ids in order."""
    ids: list[str] = []
    for _ in range(number):
        clock.advance(1)
        ids.append((await submit_one(engine, message(), durable=True)).prediction_id)
        assert await settle_one(engine, await receive_one(engine), LOST)
    return ids


async def dead_ids(engine: Engine) -> list[str]:
    return [prediction.prediction_id for prediction in await engine.dead(MODEL, 100)]


class SlowJournal(DiskJournal):
    """Reports a replay late: until another operation is written, the prediction is there and has no end."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        super().__init__(folder, clock)
        self._replay: Replay | None = None

    def write(self, operation: Write) -> None:
        if isinstance(operation, Replay):
            self._replay = operation
            return
        if self._replay is not None:
            super().write(self._replay)
            self._replay = None
        super().write(operation)

    def read(self, operation: Read) -> None:
        if self._replay is not None and isinstance(operation, FindResult):
            asyncio.get_running_loop().call_soon(operation.done, Lost(operation.prediction_id))
        else:
            super().read(operation)


async def test_a_replay_that_is_being_stored_is_not_lost(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        (prediction_id,) = await make_dead(engine, clock, 1)
    async with opened_with(SlowJournal(tmp_path, clock), clock) as engine:
        replay = asyncio.create_task(engine.replay(prediction_id))
        await turns()
        assert await status(engine, prediction_id) is Status.QUEUED
        assert await replay


async def test_queue_state_costs_the_same_with_many_dead_letters(tmp_path: Path) -> None:
    clock = CountingClock()
    async with opened(tmp_path, clock) as engine:
        costs: list[int] = []
        for number in (1, 50):
            await make_dead(engine, clock, number)
            before = clock.readings
            queues = await engine.queues()
            costs.append(clock.readings - before)
        assert queues[MODEL].dead == 51
        assert costs[0] == costs[1]


async def test_a_cancel_that_cannot_be_stored_keeps_its_place(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as engine:
        ids = await make_dead(engine, clock, 3)
        with unwritable(tmp_path), pytest.raises(EngineUnavailable, match="cannot be stored"):
            await engine.purge(ids[1])
        assert await dead_ids(engine) == ids
