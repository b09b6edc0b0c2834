import asyncio
import tracemalloc

import pytest

from zypher.http.hangup import Hangup, HungUp
from zypher.http.request import Request


@pytest.fixture
def request_() -> Request:
    return Request("POST", "/", b"", {}, Hangup(), lambda: None)


async def test_a_body_is_read_once(request_: Request) -> None:
    for piece in (b"a", b"bc", b"def"):
        request_.feed(piece)
    assert request_.unread_bytes == 6
    request_.end()
    assert await request_.body(6) == b"abcdef"
    assert request_.unread_bytes == 0


async def test_a_body_is_waited_for(request_: Request) -> None:
    reading = asyncio.create_task(request_.body(6))
    for piece in (b"ab", b"cd"):
        await asyncio.sleep(0)
        request_.feed(piece)
        assert request_.unread_bytes == 0
    request_.end()
    assert await reading == b"abcd"


async def test_a_body_that_is_too_long_is_given_up_and_forgotten(request_: Request) -> None:
    request_.feed(b"ab")
    request_.feed(b"c")
    assert await request_.body(2) is None
    assert request_.unread_bytes == 0


async def test_a_body_of_whom_hung_up_is_not_waited_for(request_: Request) -> None:
    request_.hangup.happen()
    with pytest.raises(HungUp):
        await request_.body(2)


def test_what_was_not_read_is_forgotten_with_the_answer(request_: Request) -> None:
    request_.feed(b"ab")
    request_.finish()
    assert request_.unread_bytes == 0


async def test_a_body_takes_no_more_memory_for_coming_in_small_pieces(request_: Request) -> None:
    tracemalloc.start()
    try:
        for number in range(50_000):
            request_.feed(b"%02d" % (number % 100))
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert request_.unread_bytes == 100_000
    assert held_bytes < 2 * 100_000
