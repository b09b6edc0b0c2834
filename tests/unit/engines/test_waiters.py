import asyncio

from tests.fake_clock import FakeClock, eventually
from zypher.engines.waiters import Waiter, Waiters

FOREVER = float("inf")


async def waits(waiter: Waiter[str], within_s: float = FOREVER) -> "asyncio.Task[None]":
    """A task that has begun to wait."""
    task = asyncio.create_task(waiter.wait(within_s))
    await asyncio.sleep(0)
    return task


async def test_a_wake_of_its_name_ends_the_wait() -> None:
    waiters = Waiters[str](FakeClock())
    with waiters.waiting("one") as one, waiters.waiting("other") as other:
        first, second = await waits(one), await waits(other)
        waiters.wake("one", "value")
        await first
        assert (one.value, second.done()) == ("value", False)
        waiters.wake("other")
        await second
        assert other.value is None


async def test_every_waiter_of_a_name_gets_the_value() -> None:
    waiters = Waiters[str](FakeClock())
    with waiters.waiting("one") as first, waiters.waiting("one") as second:
        waiters.wake("one", "value")
        assert (first.value, second.value) == ("value", "value")


async def test_a_wake_of_all_ends_every_wait() -> None:
    waiters = Waiters[str](FakeClock())
    with waiters.waiting("one") as one, waiters.waiting("other") as other:
        tasks = [await waits(one), await waits(other)]
        waiters.wake_all()
        await asyncio.gather(*tasks)


async def test_time_ends_the_wait_and_leaves_no_timer() -> None:
    clock = FakeClock()
    waiters = Waiters[str](clock)
    with waiters.waiting("one") as waiter:
        task = await waits(waiter, 2)
        clock.advance(1)
        await asyncio.sleep(0)
        assert not task.done()
        clock.advance(1)
        await task
        waiter.reset()
        again = await waits(waiter, 2)
        waiters.wake("one")
        await again
    assert clock.pending == 0


async def test_a_cancelled_wait_leaves_no_timer() -> None:
    clock = FakeClock()
    with Waiters[str](clock).waiting("one") as waiter:
        task = await waits(waiter, 2)
        task.cancel()
        await asyncio.wait({task})
    assert clock.pending == 0


async def test_an_early_wake_counts_until_it_is_reset() -> None:
    waiters = Waiters[str](FakeClock())
    with waiters.waiting("one") as waiter:
        waiters.wake("one", "value")
        await waiter.wait(FOREVER)
        waiter.reset()
        task = await waits(waiter)
        assert not task.done()
        waiters.wake("one")
        await eventually(task.done)
        assert waiter.value == "value"


def test_a_waiter_that_left_is_forgotten() -> None:
    waiters = Waiters[str](FakeClock())
    with waiters.waiting("one") as waiter:
        pass
    waiters.wake("one", "late")
    waiters.wake_all()
    assert waiter.value is None
