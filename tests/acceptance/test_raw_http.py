"""Requests by hand: each is answered or refused, none takes the answer of another, nothing hangs."""

import re

import pytest

from tests.raw_cases import CASES
from tests.raw_http import RawConnection
from tests.server_process import ServerProcess

LAST = b"GET /healthz/live?last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n")


def responses(received: bytes) -> list[tuple[int, bytes]]:
    """The status and the head of each final answer."""
    found: list[tuple[int, bytes]] = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        length = _LENGTH.search(head + b"\r\n")
        received = rest[int(length[1]) if length else 0 :]
        if status >= 200:
            found.append((status, head))
    return found


@pytest.mark.parametrize(("request_", "statuses"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_request_is_answered_and_so_is_the_next(
    echo_server: ServerProcess, request_: bytes, statuses: tuple[int, ...]
) -> None:
    with RawConnection(echo_server.url) as connection:
        connection.send(request_ + LAST)
        received = responses(connection.receive())
    assert received, "Nothing was answered."
    assert received[0][0] in statuses, received[0][1]
    assert all(status < 500 or status == 505 for status, _ in received)
    assert b"connection: close" in received[-1][1].lower(), "The last request was lost."
    assert len(received) <= 2


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 300
    assert len({name for name, _, _ in CASES}) == len(CASES)
