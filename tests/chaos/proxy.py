"""A TCP proxy on this machine that can cut, refuse, delay and swallow."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65_536
_UNDER_WAY = 1_024  # chunks, either way


class Proxy:
    """Forwards connections to `upstream_port` of this machine.

    What is set holds for connections that exist as well as for those to come.
    """

    def __init__(self, upstream_port: int) -> None:
        self.refusing = False  # new connections end at once
        self.delay_s = 0.0  # that each byte is under way, either way
        self.rewrite: Callable[[bytes], bytes] = bytes  # what becomes of a chunk of an answer
        self.swallowing = False  # answers do not come back: what was asked happened, and nobody hears of it
        self._upstream_port = upstream_port
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def cut(self) -> None:
        """End every connection, with whatever is on its way."""
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._forward(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        await asyncio.wait({task})

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its beginning to the end of either side."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(_abort, writer)
            if self.refusing:
                return
            try:
                theirs, ours = await asyncio.open_connection("127.0.0.1", self._upstream_port)
            except OSError:
                return
            stack.push_async_callback(_abort, ours)
            await _first(self._pump(reader, ours, asks=True), self._pump(theirs, writer, asks=False))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool) -> None:
        """Many chunks may be under way at once: a long way is not a narrow one."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_UNDER_WAY)
        reading = asyncio.ensure_future(self._read(reader, under_way))
        try:
            with contextlib.suppress(OSError):
                while (sent := await under_way.get())[1]:
                    await asyncio.sleep(sent[0] - asyncio.get_running_loop().time())
                    if asks or not self.swallowing:
                        writer.write(sent[1] if asks else self.rewrite(sent[1]))
                        await writer.drain()
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _read(self, reader: asyncio.StreamReader, under_way: "asyncio.Queue[tuple[float, bytes]]") -> None:
        """Put each chunk on its way with the time of its arrival, an empty one at the end."""
        chunk = b"-"
        while chunk:
            with contextlib.suppress(OSError):
                chunk = b""
                chunk = await reader.read(_CHUNK_BYTES)
            await under_way.put((asyncio.get_running_loop().time() + self.delay_s, chunk))


async def _first(*pumps: Coroutine[None, None, None]) -> None:
    """Run them until one ends, and end the others."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, as a broken network does."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
