"""How many bytes of inputs may wait in memory."""

import asyncio
from pathlib import Path

import pytest

from tests.contract.phrases import MODEL, SUCCEEDED, message, receive_one, settle_one, submit_one, turns
from tests.fake_clock import FakeClock
from tests.unit.engines.embedded.opened import opened, shell, unwritable
from zypher.engines.contract import Engine
from zypher.engines.embedded.memory.predictions import MOST_HELD_BYTES
from zypher.errors import EngineUnavailable, QueueFull

QUARTER = bytes(MOST_HELD_BYTES // 4)  # one object, however many predictions bear it
SMALL = bytes(1_000_000)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def fill(engine: Engine, quarters: int = 4) -> None:
    for number in range(quarters):
        await submit_one(engine, message(QUARTER, model=f"model {number % 2}"), durable=False)


async def assert_room(engine: Engine, input: bytes = QUARTER) -> None:
    """There is room for this input, and no more."""
    await submit_one(engine, message(input), durable=False)
    await assert_full(engine)


async def assert_full(engine: Engine) -> None:
    for durable in (False, True):
        with pytest.raises(QueueFull, match="256 MiB"):
            await submit_one(engine, message(SMALL), durable=durable)


async def test_inputs_that_wait_in_memory_are_bounded_over_all_models(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await fill(engine)
        await assert_full(engine)


async def test_running_frees_memory_and_returning_takes_it(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await fill(engine)
        await settle_one(engine, await receive_one(engine, "model 0"), SUCCEEDED)
        await assert_room(engine)
        back = await receive_one(engine, "model 1")
        await engine.release(back, counted=False)
        await assert_full(engine)
        await engine.cancel(back.message.prediction_id)
        await assert_room(engine)


async def test_one_input_may_wait_however_large(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await submit_one(engine, message(bytes(MOST_HELD_BYTES + 1)), durable=False)
        await assert_full(engine)


async def test_durable_inputs_take_memory_only_until_written(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await fill(engine, 3)
        most = bytes(len(QUARTER) - len(SMALL) // 2)
        await submit_one(engine, message(most), durable=False)
        small = SMALL[: len(SMALL) // 2]
        with shell(tmp_path) as connection:
            connection.execute("BEGIN IMMEDIATE")  # nothing else is written meanwhile
            first = asyncio.create_task(submit_one(engine, message(small), durable=True))
            await turns()
            with pytest.raises(QueueFull):
                await submit_one(engine, message(small), durable=True)
        await first
        await submit_one(engine, message(small), durable=True)
        with unwritable(tmp_path), pytest.raises(EngineUnavailable):
            await submit_one(engine, message(small), durable=True)
        await submit_one(engine, message(small), durable=False)
        with pytest.raises(QueueFull):
            await submit_one(engine, message(small), durable=False)


async def test_a_known_key_is_served_while_memory_is_full(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        first = message()
        await submit_one(engine, first, durable=True, idempotency_key="k")
        await fill(engine)
        again = await submit_one(engine, message(), durable=True, idempotency_key="k")
        assert again.prediction_id == first.prediction_id


async def test_a_promoted_input_takes_memory_until_it_is_received(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        kept = message(SMALL)
        await submit_one(engine, kept, durable=False)
        await fill(engine, 3)
        await submit_one(engine, message(bytes(len(QUARTER) - len(SMALL)), model="other"), durable=False)
        await engine.keep(kept)
        await assert_full(engine)
        delivery = await receive_one(engine, MODEL)
        await engine.release(delivery, counted=False)  # from now on it is on disk only
        await assert_room(engine, SMALL)
