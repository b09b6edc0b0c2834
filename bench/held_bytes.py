"""Clients that hold back, and the memory that they cost.

A server with its default budget of 256 MiB. Held back: 200 connections send all but the end of a body of 10 MiB.
Unread: 60 connections ask for an output of 9 MB and read nothing. Peaks are of the server's own memory (resident),
sampled 20 times a second; afterwards all connections are cut, and the memory counts 60 s later.
"""

import asyncio
import sys
from time import sleep
from typing import cast

from bench.figure import Figure
from bench.processes import MIB, Server
from bench.report import Script
from bench.sampler import Sampler
from bench.servers import BULK, zypher

_ROUNDS = 2  # each takes a minute and a half; bounds are of the worst
_BUDGET_MIB = 256
_HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
_PIECE = b" " * 65_536
_BODY_BYTES = 10 * 1024 * 1024
_ASK = b'{"input": 9000000}'
_SAMPLE_S = 0.05
_PATIENCE_S = 5.0
_LATER_S = 60.0


def measure() -> list[Figure]:
    rounds = [_round() for _ in range(_ROUNDS)]
    most = _BUDGET_MIB + 100
    return [
        Figure("200 bodies without their end: peak memory", "MiB", tuple(r[0] for r in rounds), at_most=most),
        Figure("60 answers that nobody reads: peak memory", "MiB", tuple(r[1] for r in rounds), at_most=most),
        Figure("a minute later", "MiB", tuple(r[2] for r in rounds), at_most=150),
    ]


def _round() -> tuple[float, float, float]:
    with zypher(BULK, "--no-access-log") as server:
        held = _peak_mib(server, 200, _HEAD.format(_BODY_BYTES).encode() + b'{"input": [', _BODY_BYTES // 65_536 - 1)
        unread = _peak_mib(server, 60, _HEAD.format(len(_ASK)).encode() + _ASK, 0)
        sleep(_LATER_S)
        return held, unread, _resident_mib(server)


def _resident_mib(server: Server) -> float:
    return server.process.memory_info().rss / MIB


def _peak_mib(server: Server, connections: int, begin: bytes, pieces: int) -> float:
    with Sampler(lambda: _resident_mib(server), _SAMPLE_S) as memory:
        asyncio.run(_hold(server.port, connections, begin, pieces))
    return max(memory.values)


async def _hold(port: int, connections: int, begin: bytes, pieces: int) -> None:
    """Send, and read nothing, for a while; then cut all connections."""
    writers = [await _silent(port) for _ in range(connections)]
    await asyncio.wait([asyncio.ensure_future(_send(writer, begin, pieces)) for writer in writers], timeout=60)
    await asyncio.sleep(_PATIENCE_S)
    for writer in writers:
        writer.transport.abort()


async def _silent(port: int) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    cast("asyncio.Transport", writer.transport).pause_reading()
    return writer


async def _send(writer: asyncio.StreamWriter, begin: bytes, pieces: int) -> None:
    try:
        writer.write(begin)
        for _ in range(pieces):
            writer.write(_PIECE)
            await asyncio.wait_for(writer.drain(), _PATIENCE_S)
    except (OSError, TimeoutError):
        return  # refused, or not read any more


SCRIPT = Script("held_bytes", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
