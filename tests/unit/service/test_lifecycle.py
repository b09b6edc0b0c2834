"""What a process does, and in which order, when signals come."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator

import pytest

from tests.fake_clock import eventually
from zypher.errors import TargetError
from zypher.service.lifecycle import run_until_stopped


@pytest.fixture(autouse=True)
def own_process() -> Iterator[None]:
    """What a process sets for its whole life, other tests do not feel."""
    threshold = gc.get_threshold()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Parts:
    """A shape that notes what is asked of it; what it is told to stall at takes until the process ends."""

    def __init__(self, *stalls: str) -> None:
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.asked: list[str] = []
        self.error: Exception | None = None  # what getting ready ends with
        self._stalls = stalls

    async def start(self) -> None:
        await self._ask("start")

    async def get_ready(self) -> None:
        await self._ask("get ready")
        if self.error is not None:
            raise self.error

    async def drain(self) -> None:
        await self._ask("drain")

    async def stop(self, *, at_once: bool) -> None:
        await self._ask("stop in haste" if at_once else "stop")

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self._stalls:
            await asyncio.Event().wait()


async def signal_at(parts: Parts, *moments: str) -> None:
    """Send this process a signal each time the parts were asked for one of these."""
    for moment in moments:
        await eventually(lambda moment=moment: moment in parts.asked)
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("stalls", "moments", "asked", "drained"),
    [
        ((), ["get ready"], ["start", "get ready", "drain", "stop"], True),
        (("start",), ["start"], ["start", "drain", "stop"], True),
        (("get ready",), ["get ready"], ["start", "get ready", "drain", "stop"], True),
        (("drain",), ["get ready", "drain"], ["start", "get ready", "drain", "stop in haste"], False),
    ],
)
async def test_a_signal_drains_and_a_second_one_stops_at_once(
    stalls: tuple[str, ...], moments: list[str], asked: list[str], drained: bool
) -> None:
    parts = Parts(*stalls)
    ended, _ = await asyncio.gather(run_until_stopped(parts), signal_at(parts, *moments))
    assert (parts.asked, ended) == (asked, drained)


async def test_a_signal_after_the_end_changes_nothing() -> None:
    parts = Parts()
    ended, _ = await asyncio.gather(run_until_stopped(parts), signal_at(parts, "get ready"))
    assert ended
    for number in (signal.SIGINT, signal.SIGTERM):
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
