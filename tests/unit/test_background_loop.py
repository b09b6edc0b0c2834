import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fake_clock import FakeClock, eventually
from zypher.background_loop import BackgroundLoop
from zypher.errors import EngineUnavailable

PAUSE_S = 1.0
PERIOD_S = 3.0


class Step:
    """Counts how often it is taken, and raises what it is set to."""

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
async def lasting(step: Step, clock: FakeClock) -> AsyncIterator[BackgroundLoop]:
    """A loop that survives every error."""
    loop = BackgroundLoop(
        "test", step, clock, PAUSE_S, period_s=PERIOD_S, survives=(Exception,), quiet=(ConnectionError,)
    )
    loop.start()
    yield loop
    await loop.stop()
    await loop.stop()


async def again(step: Step, clock: FakeClock) -> None:
    taken = step.taken
    await eventually(lambda: clock.pending)
    clock.advance(PERIOD_S)
    await eventually(lambda: step.taken > taken and clock.pending)


async def test_a_step_follows_its_success_after_the_period(
    lasting: BackgroundLoop, step: Step, clock: FakeClock
) -> None:
    await again(step, clock)
    clock.advance(PERIOD_S - 0.1)
    await asyncio.sleep(0)
    assert (step.taken, lasting.error) == (2, None)


async def test_a_step_follows_an_error_after_the_pause(lasting: BackgroundLoop, step: Step, clock: FakeClock) -> None:
    step.raises = RuntimeError("a bug")
    await again(step, clock)
    clock.advance(PAUSE_S - 0.1)
    await asyncio.sleep(0)
    assert step.taken == 2
    clock.advance(0.1)
    await eventually(lambda: step.taken > 2)
    assert step.taken == 3


async def test_steps_follow_each_other_without_a_period(clock: FakeClock) -> None:
    steps = 0

    async def step() -> None:
        nonlocal steps
        steps += 1
        await asyncio.sleep(0)

    loop = BackgroundLoop("test", step, clock)
    loop.start()
    await eventually(lambda: steps >= 3)
    await loop.stop()
    assert clock.pending == 0


async def test_an_unexpected_error_is_logged_once_and_survived(
    lasting: BackgroundLoop, step: Step, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    step.raises = RuntimeError("a bug")
    await again(step, clock)
    await again(step, clock)
    assert lasting.error is step.raises
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert caplog.records[0].exc_info is not None
    step.raises = None
    await again(step, clock)
    assert lasting.error is None


async def test_a_cancelled_step_does_not_end_a_lasting_loop(
    lasting: BackgroundLoop, step: Step, clock: FakeClock
) -> None:
    step.raises = asyncio.CancelledError()
    await again(step, clock)
    assert str(lasting.error) == "the duty test was cancelled by something that it waited for"
    step.raises = None
    await again(step, clock)
    assert lasting.error is None


async def test_a_quiet_error_changes_neither_log_nor_error(
    lasting: BackgroundLoop, step: Step, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    bug = step.raises = RuntimeError("a bug")
    await again(step, clock)
    step.raises = ConnectionError("away")
    await again(step, clock)
    assert (lasting.error, len(caplog.records)) == (bug, 1)


async def test_an_engine_that_is_away_is_logged_once(
    step: Step, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    loop = BackgroundLoop("test", step, clock, period_s=PERIOD_S)
    loop.start()
    for error in (EngineUnavailable("refused"), EngineUnavailable("timed out"), None, EngineUnavailable("refused")):
        step.raises = error
        await again(step, clock)
    await loop.stop()
    assert [record.getMessage() for record in caplog.records] == ["the engine is away"] * 2
    assert await loop.ended() is None


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("a bug"), "a bug"),
        (asyncio.CancelledError(), "the duty test was cancelled by something that it waited for"),
    ],
)
async def test_any_other_error_ends_the_loop(step: Step, clock: FakeClock, error: BaseException, cause: str) -> None:
    step.raises = error
    loop = BackgroundLoop("test", step, clock)
    loop.start()
    async with asyncio.timeout(10):
        assert str(await loop.ended()) == cause
    await loop.stop()
    assert str(await loop.ended()) == cause
    assert step.taken == 1


async def test_a_cancelled_pause_ends_the_loop(step: Step, clock: FakeClock) -> None:
    loop = BackgroundLoop("test", step, clock, period_s=PERIOD_S)
    loop.start()
    await eventually(lambda: clock.pending)
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "test")
    task.cancel()
    async with asyncio.timeout(10):
        assert isinstance(await loop.ended(), RuntimeError)


async def test_a_stop_wakes_who_awaits_the_end(step: Step, clock: FakeClock) -> None:
    loop = BackgroundLoop("test", step, clock, period_s=PERIOD_S)
    loop.start()
    ended = asyncio.create_task(loop.ended())
    await eventually(lambda: clock.pending)
    await loop.stop()
    assert await ended is None


async def test_a_stop_before_the_start_does_nothing(step: Step, clock: FakeClock) -> None:
    await BackgroundLoop("test", step, clock).stop()
    assert step.taken == 0
