import asyncio
from datetime import UTC, datetime

import pytest

from tests.fake_clock import FakeClock
from zypher.engines.contract import Stop
from zypher.engines.redis_streams.held_deliveries import HeldDeliveries
from zypher.prediction import Delivery, Message, StopReason


def delivery(receipt: str, prediction_id: str = "id") -> Delivery:
    return Delivery(Message(prediction_id, "model", b"1", datetime(2026, 1, 1, tzinfo=UTC)), 1, receipt)


FIRST, SECOND, OTHER = delivery("1"), delivery("2"), delivery("1", "other")


@pytest.fixture
def held() -> HeldDeliveries:
    held = HeldDeliveries(FakeClock())
    held.add([FIRST, SECOND, OTHER], set())
    return held


async def test_each_delivery_of_a_cancelled_prediction_is_stopped_once(held: HeldDeliveries) -> None:
    for _ in range(2):
        held.cancel_all("id")
        held.cancel(FIRST)
    assert await held.stops(0) == [Stop(each, StopReason.CANCELLED) for each in (FIRST, SECOND)]
    held.cancel_all("id")
    assert await held.stops(0) == []


async def test_a_lost_lease_is_a_stop_after_a_cancel_too(held: HeldDeliveries) -> None:
    held.cancel(FIRST)
    await held.stops(0)
    held.lose(FIRST)
    held.lose(FIRST)
    assert await held.stops(0) == [Stop(FIRST, StopReason.LEASE_LOST)]
    assert list(held) == [SECOND, OTHER]


async def test_what_is_no_longer_held_is_not_stopped(held: HeldDeliveries) -> None:
    held.cancel(FIRST)
    held.forget(FIRST)
    held.forget(FIRST)
    held.cancel_all("id")
    held.lose(FIRST)
    assert await held.stops(0) == [Stop(SECOND, StopReason.CANCELLED)]


async def test_a_stop_that_overtakes_its_delivery_counts(held: HeldDeliveries) -> None:
    late = delivery("3", "late")
    with held.arriving() as cancelled:
        held.cancel_all("late")
        held.add([late], cancelled)
    assert await held.stops(0) == [Stop(late, StopReason.CANCELLED)]
    again = delivery("4", "late")
    with held.arriving() as cancelled:
        held.add([again], cancelled)
    assert await held.stops(0) == []


async def test_a_wake_ends_the_wait_for_stops(held: HeldDeliveries) -> None:
    waiting = asyncio.create_task(held.stops(60))
    await asyncio.sleep(0)
    held.wake()
    assert await waiting == []
