import asyncio

from tests.fake_clock import FakeClock
from zypher.engines.redis_streams.ready_lanes import ReadyLanes
from zypher.prediction import PRIORITIES, Lane

MODEL = "model"
HIGH = (Lane.HIGH,)
WEBHOOKS = (Lane.WEBHOOKS,)


def test_unread_lanes_may_be_non_empty() -> None:
    assert not ReadyLanes(FakeClock()).is_empty(MODEL, PRIORITIES)


def test_empty_lanes_are_read_again_after_a_wake() -> None:
    ready = ReadyLanes(FakeClock())
    ready.emptied(MODEL, PRIORITIES, ready.wakes(MODEL, PRIORITIES))
    assert ready.is_empty(MODEL, PRIORITIES)
    ready.wake(MODEL, [Lane.LOW])
    assert not ready.is_empty(MODEL, PRIORITIES)


def test_a_wake_during_a_read_causes_another_read() -> None:
    ready = ReadyLanes(FakeClock())
    wakes = ready.wakes(MODEL, PRIORITIES)
    ready.wake(MODEL, PRIORITIES)
    ready.emptied(MODEL, PRIORITIES, wakes)
    assert not ready.is_empty(MODEL, PRIORITIES)


def test_a_read_of_some_lanes_empties_no_others() -> None:
    ready = ReadyLanes(FakeClock())
    ready.emptied(MODEL, HIGH, ready.wakes(MODEL, HIGH))
    assert not ready.is_empty(MODEL, PRIORITIES)
    ready.wake(MODEL, [Lane.LOW])
    assert ready.is_empty(MODEL, HIGH)


async def test_a_wake_of_all_leaves_empty_lanes_empty() -> None:
    ready = ReadyLanes(FakeClock())
    ready.emptied(MODEL, PRIORITIES, ready.wakes(MODEL, PRIORITIES))
    with ready.waiting(MODEL, PRIORITIES) as waiter:
        ready.wake_all()
        async with asyncio.timeout(10):
            await waiter.wait(float("inf"))
    assert ready.is_empty(MODEL, PRIORITIES)


async def test_receivers_of_notices_are_not_woken_by_predictions() -> None:
    clock = FakeClock()
    ready = ReadyLanes(clock)
    with ready.waiting(MODEL, WEBHOOKS) as notices, ready.waiting(MODEL, PRIORITIES) as predictions:
        ready.wake(MODEL, HIGH)
        await predictions.wait(float("inf"))
        waits = asyncio.create_task(notices.wait(float("inf")))
        await asyncio.sleep(0)
        assert not waits.done()
        ready.wake(MODEL, WEBHOOKS)
        await waits
