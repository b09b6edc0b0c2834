"""Large bodies, checked in a real process."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from tests.fake_clock import eventually
from zypher.errors import InvalidInput, MalformedBody
from zypher.gateway.large_bodies import LargeBodies
from zypher.model_card import ModelCard

NUMBERS = ModelCard("m", "", {"type": "array", "items": {"type": "integer"}}, {}, {}, 1)
TEXTS = ModelCard("m", "", {"type": "array", "items": {"type": "string"}}, {}, {}, 1)
LARGE = b'{"input": [' + b"1, " * 500_000 + b"1]}"


@pytest.fixture
async def bodies() -> AsyncIterator[LargeBodies]:
    bodies = LargeBodies()
    yield bodies
    await bodies.close()
    assert not children()


def children() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found += [child] if "zypher.gateway.check_process" in child.cmdline() else []
    return found


async def test_the_input_of_a_large_body_is_found(bodies: LargeBodies) -> None:
    assert not children()
    found = await bodies.check(NUMBERS, LARGE)
    assert len(json.loads(LARGE[found])) == 500_001
    assert len(children()) == 1


async def test_a_wrong_body_is_reported(bodies: LargeBodies) -> None:
    with pytest.raises(InvalidInput, match=r"\$\.input\[0\] must be a string"):
        await bodies.check(TEXTS, LARGE)
    with pytest.raises(MalformedBody, match="JSON"):
        await bodies.check(TEXTS, LARGE[:-1])
    assert await bodies.check(TEXTS, b'{"input": ["a"]}') == slice(10, 15)


async def test_bodies_for_several_cards_do_not_mix(bodies: LargeBodies) -> None:
    checks = [bodies.check(card, LARGE) for card in (NUMBERS, TEXTS) * 3]
    ends = await asyncio.gather(*checks, return_exceptions=True)
    assert [type(end) for end in ends] == [slice, InvalidInput] * 3


async def test_a_cancelled_check_leaves_the_next_result_correct(bodies: LargeBodies) -> None:
    await bodies.check(NUMBERS, LARGE)
    going = asyncio.create_task(bodies.check(TEXTS, LARGE))
    waiting = asyncio.create_task(bodies.check(TEXTS, LARGE))
    await asyncio.sleep(0)
    going.cancel()
    waiting.cancel()
    assert await bodies.check(NUMBERS, LARGE) == slice(10, len(LARGE) - 1)


async def test_a_process_that_was_killed_is_replaced(bodies: LargeBodies) -> None:
    await bodies.check(NUMBERS, LARGE)
    (first,) = children()
    check = asyncio.create_task(bodies.check(NUMBERS, LARGE))
    await asyncio.sleep(0)
    os.kill(first.pid, signal.SIGKILL)
    assert await check == slice(10, len(LARGE) - 1)
    (second,) = children()
    assert second.pid != first.pid


async def test_the_process_gets_no_settings(bodies: LargeBodies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZYPHER_ENGINE", "redis://:secret@localhost/0")
    await bodies.check(NUMBERS, LARGE)
    (process,) = children()
    assert "secret" not in str(process.environ())


async def test_the_process_ends_when_its_input_closes(bodies: LargeBodies) -> None:
    await bodies.check(NUMBERS, LARGE)
    (process,) = children()
    bodies._process.stdin.close()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]  # the server has gone
    await eventually(lambda: process not in children())
