"""The service on many machines: servers without workers, workers, and a Redis behind a proxy."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import redis

from tests.chaos.member import Member
from tests.chaos.proxy import Proxy
from tests.chaos.stage import LEASE, MODEL, WORK, Stage, free_port
from tests.redis_keys import leftovers
from tests.redis_server import RedisServer

_SERVERS, _WORKERS = 2, 3


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
            entries = [stream for stream in _streams(client) if client.xlen(stream)]
        return [*(f"key {key}" for key in keys), *(f"entries in {stream}" for stream in entries)]

    def lapse_leases(self) -> int:
        """Make every lease look as if it had not been extended; how many there were."""
        lapsed = 0
        with self.redis.client() as client:
            for stream in _streams(client):
                pending = cast("list[dict[str, bytes]]", client.xpending_range(stream, "workers", "-", "+", 1000))
                for entry in pending:
                    client.xclaim(stream, "workers", "workers", 0, [entry["message_id"]], idle=3_600_000, justid=True)
                lapsed += len(pending)
        return lapsed

    def _member(self, name: str, *arguments: str) -> Member:
        return Member(name, arguments, self._directory)


def _streams(client: redis.Redis) -> list[str]:
    return [cast("bytes", key).decode() for key in client.scan_iter("*:stream")]
