"""A background duty goes on through an engine's absence, and its death is noticed."""

import asyncio

import pytest

from tests.fake_clock import FakeClock, eventually
from zypher.errors import EngineUnavailable
from zypher.worker.duty import Duty


async def test_an_engine_that_is_away_is_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, steps = FakeClock(), list[str]()

    async def step() -> None:
        steps.append("step")
        if len(steps) != 3:
            raise EngineUnavailable("away")

    duty = Duty("test", step, clock, list[BaseException]().append, pause_s=0.5)
    duty.start()
    for taken in (1, 2, 4, 5):
        await eventually(lambda taken=taken: len(steps) == taken and clock.pending)
        clock.advance(0.5)
    await duty.stop()
    assert [record.getMessage() for record in caplog.records] == ["the engine is away"] * 2


async def test_an_engine_that_is_away_makes_it_pause() -> None:
    clock, steps, done = FakeClock(), list[str](), asyncio.Event()

    async def step() -> None:
        steps.append("step")
        if len(steps) == 1:
            raise EngineUnavailable("away")
        done.set()
        await asyncio.Event().wait()

    deaths: list[BaseException] = []
    duty = Duty("test", step, clock, deaths.append)
    duty.start()
    await eventually(lambda: clock.pending == 1)
    assert steps == ["step"]

    clock.advance(1)
    await done.wait()
    await duty.stop()
    await duty.stop()

    assert steps == ["step", "step"]
    assert deaths == []


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("a bug"), "a bug"),
        (asyncio.CancelledError(), "the duty test was cancelled by something that it waited for"),
    ],
)
async def test_any_other_end_is_its_death(error: BaseException, cause: str) -> None:
    deaths: list[BaseException] = []

    async def step() -> None:
        raise error

    duty = Duty("test", step, FakeClock(), deaths.append)
    duty.start()
    await eventually(lambda: bool(deaths))
    await duty.stop()

    assert str(deaths[0]) == cause
