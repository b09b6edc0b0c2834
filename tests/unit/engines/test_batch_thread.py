"""A thread that works off what waits, and what becomes of its answers."""

import asyncio

import pytest

from zypher.engines.embedded.batch_thread import Answers, BatchThread


async def test_an_answer_that_fails_does_not_silence_the_others(caplog: pytest.LogCaptureFixture) -> None:
    answered: list[int] = []

    def answer(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError
        answered.append(number)

    def work(batch: list[int]) -> Answers:
        return [lambda number=number: answer(number) for number in batch]

    thread = BatchThread("numbers", work)
    for number in range(3):
        thread.give(number)
    thread.start()
    async with asyncio.timeout(10):
        await thread.stop()
    assert answered == [0, 2]
    assert "ZeroDivisionError" in caplog.text
