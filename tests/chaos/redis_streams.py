"""The service on many machines: servers without workers, workers, and a Redis behind a proxy."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

from tests.chaos.member import Member
from tests.chaos.proxy import Proxy
from tests.chaos.stage import LEASE, MODEL, WORK, Stage, free_port
from tests.redis_keys import leftovers
from tests.redis_server import RedisServer
from zypher.engines.redis_streams.keys import ModelKeys

_SERVERS, _WORKERS = 2, 3
_STREAM = ModelKeys.of("zypher", "Checkable").stream
_WRONG = 2
_LONG_AGO_MS = 3_600_000


class RedisStage(Stage):
    """Two servers and three workers that reach Redis only through the proxy."""

    title = "Redis Streams engine"

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.redis = RedisServer(directory / "redis")
        self.proxy = Proxy(self.redis.port)
        self.network = asyncio.Lock()  # held by a fault of Redis or of the way to it
        self._directory = directory
        self._ports = [free_port() for _ in range(_SERVERS)]
        self.urls = [f"http://127.0.0.1:{port}" for port in self._ports]

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncGenerator[None]:
        with self.redis:
            async with self.proxy:
                engine = ("--engine", f"redis://127.0.0.1:{self.proxy.port}/0", *LEASE)
                self.servers = [
                    self._member(f"server {port}", "serve", "--no-worker", "--port", str(port), *engine)
                    for port in self._ports
                ]
                self.workers = [
                    self._member(f"worker {number}", "worker", MODEL, *WORK, *engine) for number in range(_WORKERS)
                ]
                try:
                    self.start_all()
                    yield
                finally:
                    await asyncio.to_thread(self.close_all)

    async def left_over(self) -> list[str]:
        """Keys that never expire, entries and leases."""
        with self.redis.client() as client:
            keys = leftovers(client)
            entries = client.xlen(_STREAM)
        return [*(f"key {key}" for key in keys), *([f"{entries} entries in {_STREAM}"] if entries else [])]

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
