import asyncio

import pytest

from zypher.http.hangup import Hangup, HungUp


async def never() -> None:
    await asyncio.Event().wait()


async def said(word: str) -> str:
    await asyncio.sleep(0)
    return word


async def test_a_wait_gives_what_it_waits_for() -> None:
    assert await Hangup().interrupts(said("done")) == "done"


async def test_a_hangup_interrupts_a_wait() -> None:
    hangup = Hangup()
    asyncio.get_running_loop().call_soon(hangup.happen)
    with pytest.raises(HungUp):
        await hangup.interrupts(never())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_hangup_may_be_noticed_twice() -> None:
    hangup = Hangup()
    for _ in range(2):
        asyncio.get_running_loop().call_soon(hangup.happen)
    with pytest.raises(HungUp):
        await hangup.interrupts(never())


async def test_a_hangup_before_the_wait_counts() -> None:
    hangup = Hangup()
    hangup.happen()
    with pytest.raises(HungUp):
        await hangup.interrupts(never())


async def test_a_hangup_after_the_wait_harms_nobody() -> None:
    hangup = Hangup()

    async def handle() -> str:
        word = await hangup.interrupts(said("done"))
        hangup.happen()
        return word + await said(" and answered")

    assert await asyncio.create_task(handle()) == "done and answered"


async def test_a_cancellation_by_somebody_else_goes_on() -> None:
    hangup = Hangup()
    task = asyncio.create_task(hangup.interrupts(never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
