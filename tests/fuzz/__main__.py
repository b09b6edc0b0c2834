"""`python -m tests.fuzz --seconds 60 --seed 7`: exit code 1 when the server did what it must not."""

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from tests.asking import target
from tests.fuzz.mutation import pieces, request
from tests.server_process import ServerProcess

_CLIENTS = 16
_PATIENCE_S = 15.0  # for a connection to be closed, which has a second to send
_GROWTH_MIB = 60
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\ndate|HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\n")
_LAST = b"\r\n\r\nGET /healthz/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def _converse(host: str, port: int, chance: random.Random) -> tuple[bytes, bytes]:
    """What was sent on one connection, and what came until it was closed."""
    data = request(chance) + _LAST
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for piece in pieces(data, chance):
            writer.write(piece)
            await asyncio.sleep(0)
        if chance.random() < 0.1:
            writer.write_eof()
        async with asyncio.timeout(_PATIENCE_S):
            return data, await reader.read()
    except (OSError, TimeoutError) as error:
        return data, b"HUNG" if isinstance(error, TimeoutError) else b""
    finally:
        writer.close()


async def _client(url: str, chance: random.Random, until_s: float, found: "Counter[str]", faults: list[bytes]) -> None:
    address = urlsplit(url)
    while time.monotonic() < until_s:
        sent, received = await _converse(str(address.hostname), int(address.port or 0), chance)
        statuses = [int(first or second) for first, second in _STATUS.findall(received)]
        found.update(str(status) for status in statuses)
        if received == b"HUNG" or any(status >= 500 and status != 505 for status in statuses):
            faults.append(sent + b"\n=> " + received[:300])


async def _all(url: str, seed: int, seconds: float) -> tuple["Counter[str]", list[bytes]]:
    found: Counter[str] = Counter()
    faults: list[bytes] = []
    until_s = time.monotonic() + seconds
    clients = [_client(url, random.Random(f"{seed}-{number}"), until_s, found, faults) for number in range(_CLIENTS)]
    await asyncio.gather(*clients)
    return found, faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.seconds:.0f} s, {_CLIENTS} clients", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder), target("echo.py:Echo"), "--read-timeout-s", "1", "--no-access-log")
        with server.wait_ready():
            process = psutil.Process(server.pid)
            before_mib = process.memory_info().rss / 2**20
            found, faults = asyncio.run(_all(server.url, arguments.seed, arguments.seconds))
            live = httpx.get(f"{server.url}/healthz/live", trust_env=False).status_code
            grown_mib = process.memory_info().rss / 2**20 - before_mib
            code = server.stop()
            log = server.text()
    print("answers:", ", ".join(f"{status}: {count}" for status, count in sorted(found.items())))
    print(f"live: {live}; memory grown by {grown_mib:.0f} MiB; exit code {code}")
    for fault in faults[:5]:
        print(f"FAULT {fault!r}")
    if "Traceback" in log:
        print("FAULT in the log:", log[-2_000:])
    return int(bool(faults) or "Traceback" in log or live != 200 or grown_mib > _GROWTH_MIB or code != 0)


if __name__ == "__main__":
    sys.exit(main())
