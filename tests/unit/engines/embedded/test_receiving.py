"""What is read when predictions are received, and what a close ends."""

import asyncio
from datetime import timedelta

import pytest

from tests.contract.phrases import MODEL, message, receive_one, submit_many, submit_one, turns
from tests.fake_clock import FakeClock
from tests.unit.engines.embedded.opened import opened_with
from zypher.engines.embedded.journal import LoadInputs, Read
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.engines.embedded.memory.queue import HOT_INPUT_BYTES
from zypher.errors import EngineUnavailable
from zypher.prediction import Options

LONG = bytes(HOT_INPUT_BYTES + 1)


class CountingJournal(MemoryJournal):
    """Counts how often inputs are read."""

    loads = 0

    def read(self, operation: Read) -> None:
        self.loads += isinstance(operation, LoadInputs)
        super().read(operation)


async def test_receivers_at_once_share_one_read_of_the_journal() -> None:
    clock = FakeClock()
    journal = CountingJournal(clock)
    async with opened_with(journal, clock) as engine:
        await submit_one(engine, message(LONG), durable=True)
        received = await asyncio.gather(*(engine.receive(MODEL, 1, 0) for _ in range(5)))
    assert [len(deliveries) for deliveries in received].count(1) == 1
    assert journal.loads == 1


async def test_a_close_ends_every_timer_and_wait_for_stops() -> None:
    clock = FakeClock()
    async with opened_with(MemoryJournal(clock), clock) as engine:
        await submit_many(engine, 2)
        await submit_one(engine, message(options=Options(deadline=clock.now() + timedelta(hours=1))), durable=True)
        await engine.release(await receive_one(engine), counted=False, delay_s=5)
        await receive_one(engine)  # its lease runs
        wait = asyncio.create_task(engine.stops(10))
        await turns()
        assert clock.pending > 3
    with pytest.raises(EngineUnavailable):
        await wait
    assert clock.pending == 0
