"""Requests made from the raw cases: joined, cut, doubled, and changed byte by byte."""

from collections.abc import Callable
from random import Random

from tests.raw_cases import CASES

_SEEDS = [request for _, request, _ in CASES if len(request) < 4_000]
_TOKENS = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b",", b";", b"0", b"\xff", b"\r\n\r\n", b"0\r\n\r\n"),
    *(b"HTTP/1.1", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b'"', b"{"),
    *(b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n", b"Content-Encoding: gzip\r\n"),
    *(b"Host: x\r\n", b"\\ud800"),
)


def request(random: Random) -> bytes:
    """One to three requests in a row, of which some bytes are not as they were."""
    data = b"".join(random.choice(_SEEDS) for _ in range(random.randint(1, 3)))
    for _ in range(random.choice((0, 1, 1, 2, 4, 16))):
        data = random.choice(_CHANGES)(data, random)
    return data


def pieces(data: bytes, random: Random) -> list[bytes]:
    """The same in one piece, or cut anywhere."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 0, 1, 5))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _delete(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.choice((1, 2, 20)) :]


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(_TOKENS) + data[at:]


def _replace(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _double(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at : at + random.choice((1, 10, 100))] + data[at:]


def _splice(data: bytes, random: Random) -> bytes:
    other = random.choice(_SEEDS)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other)) :]


_CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (_delete, _insert, _replace, _double, _splice)
