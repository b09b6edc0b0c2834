"""A thread that handles batches, and the calls of their results."""

import asyncio

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
