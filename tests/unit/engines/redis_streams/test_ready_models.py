import asyncio

from tests.fake_clock import FakeClock
from zypher.engines.redis_streams.ready_models import ReadyModels

MODEL = "model"


def test_an_unread_queue_may_be_non_empty() -> None:
    assert not ReadyModels(FakeClock()).is_empty(MODEL)


def test_an_empty_queue_is_read_again_after_a_wake() -> None:
    ready = ReadyModels(FakeClock())
    ready.emptied(MODEL, ready.wakes(MODEL))
    assert ready.is_empty(MODEL)
    ready.wake(MODEL)
    assert not ready.is_empty(MODEL)


def test_a_wake_during_a_read_causes_another_read() -> None:
    ready = ReadyModels(FakeClock())
    wakes = ready.wakes(MODEL)
    ready.wake(MODEL)
    ready.emptied(MODEL, wakes)
    assert not ready.is_empty(MODEL)


async def test_a_wake_of_all_leaves_an_empty_queue_empty() -> None:
    ready = ReadyModels(FakeClock())
    ready.emptied(MODEL, ready.wakes(MODEL))
    with ready.waiting(MODEL) as waiter:
        ready.wake_all()
        async with asyncio.timeout(10):
            await waiter.wait(float("inf"))
    assert ready.is_empty(MODEL)
