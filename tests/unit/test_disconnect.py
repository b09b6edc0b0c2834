import asyncio

import pytest

from zypher.disconnect import ClientDisconnected, Disconnect


async def never() -> None:
    await asyncio.Event().wait()


async def said(word: str) -> str:
    await asyncio.sleep(0)
    return word


async def test_a_wait_gives_what_it_waits_for() -> None:
    assert await Disconnect().interrupts(said("done")) == "done"


async def test_a_disconnect_interrupts_a_wait() -> None:
    disconnect = Disconnect()
    asyncio.get_running_loop().call_soon(disconnect.set)
    with pytest.raises(ClientDisconnected):
        await disconnect.interrupts(never())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_disconnect_may_be_set_twice() -> None:
    disconnect = Disconnect()
    for _ in range(2):
        asyncio.get_running_loop().call_soon(disconnect.set)
    with pytest.raises(ClientDisconnected):
        await disconnect.interrupts(never())


async def test_a_disconnect_before_the_wait_counts() -> None:
    disconnect = Disconnect()
    disconnect.set()
    with pytest.raises(ClientDisconnected):
        await disconnect.interrupts(never())


async def test_a_disconnect_after_the_wait_has_no_effect() -> None:
    disconnect = Disconnect()

    async def handle() -> str:
        word = await disconnect.interrupts(said("done"))
        disconnect.set()
        return word + await said(" and answered")

    assert await asyncio.create_task(handle()) == "done and answered"


async def test_a_cancellation_from_outside_propagates() -> None:
    disconnect = Disconnect()
    task = asyncio.create_task(disconnect.interrupts(never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
