"""A client that may break every rule: it writes bytes and reads what comes back."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from tests.unit.connections.conftest import Served

_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Reply:
    """One response, as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The sentence of `{"error": …}`; fails when the body is anything else."""
        assert self.headers["content-type"] == "application/json"
        body = cast("dict[str, str]", json.loads(self.body))
        return body["error"]


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(_PATIENCE_S):
            await self._writer.drain()

    async def reply(self, *, to_head: bool = False) -> Reply:
        """The next response."""
        async with asyncio.timeout(_PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            length = 0 if to_head else int(headers.get("content-length", "0"))
            return Reply(int(status.split()[1]), headers, await self._reader.readexactly(length))

    async def ask(self, data: bytes) -> Reply:
        await self.send(data)
        return await self.reply()

    async def end(self) -> bytes:
        """What else comes until the server closes."""
        async with asyncio.timeout(_PATIENCE_S):
            return await self._reader.read()

    async def hang_up(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def wire_to(server: Served) -> AsyncGenerator[Wire]:
    """A connection to this server."""
    reader, writer = await asyncio.open_connection(*server.address)
    wire = Wire(reader, writer)
    try:
        yield wire
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
