"""The service on one machine, with the embedded engine."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import httpx

from tests.chaos.damaged_page import rows_in
from tests.chaos.member import Member
from tests.chaos.stage import LEASE, MODEL, WORK, Stage
from tests.free_port import free_port


class EmbeddedStage(Stage):
    """One server with its worker, and a folder."""

    title = "embedded engine"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        port = free_port()
        arguments = ("serve", MODEL, "--port", str(port), *LEASE, *WORK)
        self.servers = self.workers = [Member("server", arguments, directory)]
        self.urls = [f"http://127.0.0.1:{port}"]
        self.database = directory / ".zypher" / "zypher.db"

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncGenerator[None]:
        try:
            self.start_all()
            yield
        finally:
            self.close_all()

    async def attempts(self) -> Mapping[str, int]:
        numbers = await asyncio.to_thread(rows_in, self.database)
        return {row.prediction_id: row.attempt for row in numbers.values() if row.attempt is not None}

    async def left_over(self) -> list[str]:
        """The queue's depth, as its own server says it."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            page = (await client.get(f"{self.urls[0]}/metrics")).text
        queues = [line for line in page.splitlines() if line.startswith("zypher_queue_depth{")]
        assert queues, page
        return [line for line in queues if not line.endswith(" 0.0")]
