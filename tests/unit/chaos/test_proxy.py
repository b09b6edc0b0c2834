"""The proxy between the service and its broker does what the faults say of it."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.chaos.proxy import Proxy


@pytest.fixture
async def proxy() -> AsyncGenerator[Proxy]:
    """Before a server that gives back every line in upper case."""
    server = await asyncio.start_server(_shout, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def _shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line.upper())
    writer.close()


class _Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, line: bytes) -> bytes:
        """The answer; empty when the connection has ended."""
        try:
            self.writer.write(line)
            return await self.reader.readline()
        except ConnectionError:
            return b""

    def close(self) -> None:
        self.writer.transport.abort()


@pytest.fixture
async def client(proxy: Proxy) -> AsyncGenerator[_Client]:
    client = _Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
    yield client
    client.close()


async def test_it_forwards(client: _Client) -> None:
    assert await client.ask(b"a\n") == b"A\n"
    assert await client.ask(b"b\n") == b"B\n"


async def test_a_cut_ends_what_is_open_and_nothing_else(proxy: Proxy, client: _Client) -> None:
    await client.ask(b"a\n")
    await proxy.cut()
    assert await client.ask(b"b\n") == b""
    other = _Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
    assert await other.ask(b"c\n") == b"C\n"
    other.close()


async def test_refusing_ends_new_connections(proxy: Proxy, client: _Client) -> None:
    await client.ask(b"a\n")
    proxy.refusing = True
    other = _Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
    assert await other.ask(b"c\n") == b""
    assert await client.ask(b"b\n") == b"B\n"
    other.close()


async def test_dropped_messages_never_arrive(proxy: Proxy, client: _Client) -> None:
    proxy.swallowing = True
    asking = asyncio.ensure_future(client.ask(b"a\n"))
    done, _ = await asyncio.wait({asking}, timeout=0.05)
    assert not done
    await proxy.cut()
    assert await asking == b""
