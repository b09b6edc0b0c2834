import asyncio
from datetime import UTC, datetime

from msgspec.structs import replace

from tests.fake_clock import FakeClock
from zypher.engines.redis_streams.awaited_ends import MOST_SUBMITTED, AwaitedEnds
from zypher.prediction import Prediction, Status

QUEUED = Prediction("id", "model", Status.QUEUED, datetime(2026, 1, 1, tzinfo=UTC), position=1, durable=False)


def test_an_accepted_submission_needs_no_read_once() -> None:
    ends = AwaitedEnds(FakeClock())
    ends.expect("id")
    ends.accept(QUEUED)
    assert ends.take("id") is QUEUED
    assert ends.take("id") is None


def test_an_unexpected_submission_is_read_from_redis() -> None:
    ends = AwaitedEnds(FakeClock())
    ends.accept(QUEUED)
    assert ends.take("id") is None


def test_an_end_before_the_answer_is_read_from_redis() -> None:
    ends = AwaitedEnds(FakeClock())
    ends.expect("id")
    ends.wake(b"id")
    ends.accept(QUEUED)
    assert ends.take("id") is None


def test_the_oldest_submission_is_forgotten_first() -> None:
    ends = AwaitedEnds(FakeClock())
    ends.expect("id")
    for number in range(MOST_SUBMITTED):
        ends.expect(str(number))
    ends.accept(QUEUED)
    assert ends.take("id") is None
    ends.accept(replace(QUEUED, prediction_id="0"))
    assert ends.take("0") is not None


async def test_a_published_result_wakes_with_its_value() -> None:
    ends = AwaitedEnds(FakeClock())
    async with asyncio.timeout(10):
        with ends.waiting("id") as waiter, ends.waiting("other") as other:
            ends.wake(b"id\x00a\x00result")
            await waiter.wait(float("inf"))
            assert (waiter.value, other.value) == (b"a\x00result", None)


async def test_a_published_id_wakes_without_a_value() -> None:
    ends = AwaitedEnds(FakeClock())
    async with asyncio.timeout(10):
        with ends.waiting("id") as waiter:
            ends.wake(b"id")
            await waiter.wait(float("inf"))
            assert waiter.value is None
