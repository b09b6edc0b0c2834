import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fake_clock import FakeClock, eventually
from zypher.engines.redis_streams.repeating import Repeating
from zypher.errors import EngineUnavailable

PAUSE_S = 1.0


class Step:
    """Counts how often it is taken, and raises what it is told to."""

    def __init__(self) -> None:
        self.taken = 0
        self.raises: BaseException | None = None

    async def __call__(self) -> None:
        self.taken += 1
        if self.raises is not None:
            raise self.raises


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def step() -> Step:
    return Step()


@pytest.fixture
async def repeating(step: Step, clock: FakeClock) -> AsyncIterator[Repeating]:
    repeating = Repeating("redis-rounds", step, clock, PAUSE_S)
    repeating.start()
    yield repeating
    await repeating.stop()
    await repeating.stop()


async def again(step: Step, clock: FakeClock) -> None:
    taken = step.taken
    await eventually(lambda: clock.pending)
    clock.advance(PAUSE_S)
    await eventually(lambda: step.taken > taken and clock.pending)


async def test_it_goes_on_with_a_pause(repeating: Repeating, step: Step, clock: FakeClock) -> None:
    await again(step, clock)
    await again(step, clock)
    clock.advance(PAUSE_S / 2)
    await asyncio.sleep(0)
    assert (step.taken, repeating.problem) == (3, None)


async def test_an_unexpected_error_is_logged_and_survived(
    repeating: Repeating, step: Step, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    step.raises = RuntimeError("a bug")
    await again(step, clock)
    await again(step, clock)
    assert repeating.problem == "The engine's redis-rounds failed (RuntimeError: a bug); the log has more."
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert caplog.records[0].exc_info is not None
    step.raises = None
    await again(step, clock)
    assert repeating.problem is None


async def test_what_it_waits_for_cannot_end_it(repeating: Repeating, step: Step, clock: FakeClock) -> None:
    step.raises = asyncio.CancelledError()
    await again(step, clock)
    assert repeating.problem is not None
    step.raises = None
    await again(step, clock)
    assert repeating.problem is None


@pytest.mark.parametrize("away", [EngineUnavailable("away"), ConnectionError("away")])
async def test_an_unavailable_redis_is_not_logged_here(
    repeating: Repeating, step: Step, clock: FakeClock, caplog: pytest.LogCaptureFixture, away: Exception
) -> None:
    step.raises = away
    await again(step, clock)
    assert (repeating.problem, caplog.records) == (None, [])
