"""The service on many machines: servers without workers, workers, and a Redis behind a proxy."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import cast

from tests.chaos.member import Member
from tests.chaos.proxy import Proxy
from tests.chaos.stage import LEASE, MODEL, WORK, Stage
from tests.free_port import free_port
from tests.redis_client import RedisClient
from tests.redis_keys import leftovers
from tests.redis_server import RedisServer
from zypher.engines.redis_streams.keys import ModelKeys

_SERVERS, _WORKERS = 2, 3
BASE = ModelKeys.of("zypher", "Checkable").base
_STREAM = f"{BASE}:stream"
_WRONG = 2
_LONG_AGO_MS = 3_600_000


class RedisStage(Stage):
    """Two servers and three workers that reach Redis only through the proxy."""

    title = "Redis Streams engine"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.redis = RedisServer(directory / "redis")
        self.proxy = Proxy(self.redis.port)
        self.way_of_first = Proxy(self.redis.port)  # of the first worker, which can be cut off alone
        self.cut_off = asyncio.Lock()  # held by the fault that cuts the first worker off
        self.network = asyncio.Lock()  # held by a fault of Redis or of the way to it
        self._directory = directory
        self._ports = [free_port() for _ in range(_SERVERS)]
        self.urls = [f"http://127.0.0.1:{port}" for port in self._ports]

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncGenerator[None]:
        with self.redis:
            async with self.proxy, self.way_of_first:
                engine, first = (
                    ("--engine", f"redis://127.0.0.1:{proxy.port}/0", *LEASE)
                    for proxy in (self.proxy, self.way_of_first)
                )
                self.servers = [
                    self._member(f"server {port}", "serve", "--no-worker", "--port", str(port), *engine)
                    for port in self._ports
                ]
                self.workers = [
                    self._member(f"worker {number}", "worker", MODEL, *WORK, *(engine if number else first))
                    for number in range(_WORKERS)
                ]
                try:
                    self.start_all()
                    yield
                finally:
                    await asyncio.to_thread(self.close_all)

    async def attempts(self) -> Mapping[str, int]:
        """Of those that were not destroyed: what was lost and ran again counts anew."""
        with self.redis.client() as client:
            found = {
                key.rpartition(b":")[2].decode(): client.hget(key, "attempt") for key in client.keys(f"{BASE}:p:*")
            }
        return {each: int(count) for each, count in found.items() if count is not None and each not in self.destroyed}

    async def left_over(self) -> list[str]:
        """Keys that never expire, entries and leases."""
        with self.redis.client() as client:
            keys = [key for key in leftovers(client) if not self._is_of_destroyed(client, key)]
            entries = client.xlen(_STREAM)
        return [*(f"key {key}" for key in keys), *([f"{entries} entries in {_STREAM}"] if entries else [])]

    def _is_of_destroyed(self, client: RedisClient, key: str) -> bool:
        """Whether it is the idempotency key of what was destroyed: nothing is left that leads to it."""
        content = client.execute_command("GET", key) if ":k:" in key else None
        return isinstance(content, bytes) and any(content.endswith(each.encode()) for each in self.destroyed)

    def excuses(self, member: Member, code: int) -> bool:
        """Who finds no Redis at its start ends with a sentence; whoever has begun waits for it."""
        return code == _WRONG and not member.has_begun() and "cannot be reached" in member.printed()[-500:]

    def lapse_leases(self) -> int:
        """Make every lease look as if it had not been extended; how many there were."""
        with self.redis.client() as client:
            if not client.exists(_STREAM):
                return 0
            leases = cast("list[dict[str, bytes]]", client.xpending_range(_STREAM, "workers", "-", "+", 1000))
            for lease in leases:
                client.xclaim(
                    _STREAM,
                    "workers",
                    lease["consumer"].decode(),
                    0,
                    [lease["message_id"]],
                    idle=_LONG_AGO_MS,
                    justid=True,
                )
            return len(leases)

    def _member(self, name: str, *arguments: str) -> Member:
        return Member(name, arguments, self._directory)
