"""A thread that handles batches, and the calls of their results."""

import asyncio
import threading

import pytest

from zypher.engines.embedded.disk.batch_thread import BatchThread, Callbacks


async def test_a_callback_that_raises_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    called: list[int] = []

    def call(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError
        called.append(number)

    def handle(batch: list[int]) -> Callbacks:
        return [lambda number=number: call(number) for number in batch]

    thread = BatchThread("numbers", handle)
    for number in range(3):
        thread.submit(number)
    thread.start()
    async with asyncio.timeout(10):
        await thread.stop()
    assert called == [0, 2]
    assert "ZeroDivisionError" in caplog.text


async def test_what_one_turn_of_the_loop_submits_is_one_batch() -> None:
    batches: list[list[int]] = []
    handling = threading.Event()

    def handle(batch: list[int]) -> Callbacks:
        batches.append(batch)
        handling.set()
        return []

    thread = BatchThread("numbers", handle)
    thread.start()
    thread.submit(1)
    assert not handling.wait(0.1)  # this turn goes on
    thread.submit(2)
    async with asyncio.timeout(10):
        await thread.stop()
    assert batches == [[1, 2]]
