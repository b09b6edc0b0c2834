"""What a process does, and in which order, when signals come."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator

import pytest

from tests.fake_clock import eventually
from zypher.errors import TargetError
from zypher.service.lifecycle import STOPPING, Interrupted, run_until_signal, run_until_stopped


@pytest.fixture(autouse=True)
def own_process() -> Iterator[None]:
    """What a process sets for its whole life, other tests do not feel."""
    threshold = gc.get_threshold()
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    for number, handler in handlers.items():
        signal.signal(number, handler)


LEFT = ["retire", "drain", "stop"]


class Parts:
    """A shape that notes what is asked of it; what it is told to stall at takes until it is to hurry, or cancelled."""

    def __init__(self, *stalls: str) -> None:
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.asked: list[str] = []
        self.error: Exception | None = None  # what getting ready ends with
        self._stalls = stalls
        self._hurried = asyncio.Event()

    async def start(self) -> None:
        await self._ask("start")

    async def get_ready(self) -> None:
        await self._ask("get ready")
        if self.error is not None:
            raise self.error

    def retire(self) -> None:
        self.asked.append("retire")

    async def drain(self) -> None:
        await self._ask("drain")

    async def stop(self) -> None:
        await self._ask("stop")

    def hurry(self) -> None:
        self.asked.append("hurry")
        self._hurried.set()

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self._stalls:
            await self._hurried.wait()


async def signal_at(parts: Parts, *moments: str, number: signal.Signals = signal.SIGTERM) -> None:
    """Send this process a signal each time the parts were asked for one of these."""
    for moment in moments:
        await eventually(lambda moment=moment: moment in parts.asked)
        os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("stalls", "moments", "asked", "drained"),
    [
        ((), ["get ready"], ["start", "get ready", *LEFT], True),
        (("start",), ["start"], ["start", *LEFT], True),
        (("get ready",), ["get ready"], ["start", "get ready", *LEFT], True),
        (("drain",), ["get ready", "drain"], ["start", "get ready", "retire", "drain", "hurry", "stop"], False),
        (("stop",), ["get ready", "stop"], ["start", "get ready", *LEFT, "hurry"], False),
    ],
)
async def test_a_signal_drains_and_a_second_one_stops_at_once(
    stalls: tuple[str, ...], moments: list[str], asked: list[str], drained: bool
) -> None:
    parts = Parts(*stalls)
    ended, _ = await asyncio.gather(run_until_stopped(parts), signal_at(parts, *moments))
    assert (parts.asked, ended) == (asked, drained)


async def test_a_lame_duck_goes_on_before_it_drains() -> None:
    parts = Parts()
    running = asyncio.ensure_future(run_until_stopped(parts, lame_duck_s=0.05))
    await signal_at(parts, "get ready")
    await eventually(lambda: "retire" in parts.asked)
    assert "drain" not in parts.asked
    assert await running
    assert parts.asked == ["start", "get ready", *LEFT]


async def test_a_second_signal_ends_a_lame_duck() -> None:
    parts = Parts()
    ended, _ = await asyncio.gather(run_until_stopped(parts, lame_duck_s=600), signal_at(parts, "get ready", "retire"))
    assert (parts.asked, ended) == (["start", "get ready", "retire", "hurry", "stop"], False)


async def test_a_signal_after_the_end_changes_nothing() -> None:
    parts = Parts()
    ended, _ = await asyncio.gather(run_until_stopped(parts), signal_at(parts, "get ready"))
    assert ended
    for number in STOPPING:
        assert signal.getsignal(number) is signal.SIG_IGN
        os.kill(os.getpid(), number)


async def test_parts_that_cannot_begin_are_stopped() -> None:
    parts = Parts()
    parts.error = TargetError("There is no such model.")
    with pytest.raises(TargetError):
        await run_until_stopped(parts)
    assert parts.asked == ["start", "get ready", "stop"]


async def test_a_part_that_dies_ends_the_process() -> None:
    parts = Parts()
    parts.died.set_exception(RuntimeError("a duty died"))
    with pytest.raises(RuntimeError):
        await run_until_stopped(parts)
    assert parts.asked == ["start", "get ready", "stop"]


async def test_the_end_of_the_terminal_drains() -> None:
    parts = Parts()
    await asyncio.gather(run_until_stopped(parts), signal_at(parts, "get ready", number=signal.SIGHUP))
    assert parts.asked == ["start", "get ready", *LEFT]


async def test_what_survives_its_terminal_ignores_that_end() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    parts = Parts()
    running = asyncio.ensure_future(run_until_stopped(parts))
    await signal_at(parts, "get ready", number=signal.SIGHUP)
    assert parts.asked == ["start", "get ready"]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    await signal_at(parts, "get ready")
    assert await running


@pytest.mark.parametrize("number", STOPPING)
async def test_a_signal_cancels_work_and_is_reported(number: signal.Signals) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            ended.append("in order")

    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as interrupted:
        await run_until_signal(work())
    assert (interrupted.value.number, ended) == (number, ["in order"])
    signal.signal(number, before)


async def test_work_without_a_signal_returns_or_raises() -> None:
    async def work() -> str:
        return "done"

    assert await run_until_signal(work()) == "done"
    with pytest.raises(TimeoutError):
        await run_until_signal(asyncio.wait_for(asyncio.Event().wait(), 0))
