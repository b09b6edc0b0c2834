"""Listening and stopping."""

import asyncio
import socket

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.http.conftest import Service
from tests.unit.http.memory_engine import succeeded
from tests.unit.http.test_connection import LIVE, POST
from tests.unit.http.wire import wire_to
from zypher.errors import ListenError
from zypher.http.server import HttpServer
from zypher.settings import HttpSettings


def test_a_port_in_use_is_named(service: Service, clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = HttpServer(service.app, HttpSettings(port=port), clock)
        with pytest.raises(ListenError) as refused:
            server.bind()
    assert str(refused.value) == (
        f"Port {port} on 127.0.0.1 is already in use; stop the other program or choose another with --port."
    )


@pytest.mark.parametrize("host", ["host.invalid", "192.0.2.1", "not a host", "\x00", "a" * 300])
def test_a_host_that_is_not_here_is_named(service: Service, clock: FakeClock, host: str) -> None:
    with pytest.raises(ListenError, match="--host"):
        HttpServer(service.app, HttpSettings(host=host, port=0), clock).bind()


async def test_a_bound_server_may_stop_before_it_starts(service: Service, clock: FakeClock) -> None:
    server = HttpServer(service.app, HttpSettings(port=0), clock)
    server.bind()
    assert server.url == f"http://127.0.0.1:{server.address[1]}"
    await server.stop(1)


async def test_the_date_is_that_of_the_clock(server: HttpServer, clock: FakeClock) -> None:
    async with wire_to(server) as wire:
        clock.advance(10)
        assert (await wire.ask(LIVE)).headers["date"] == "thu, 01 jan 2026 00:00:10 gmt"


async def test_a_stop_lets_a_response_end(server: HttpServer, service: Service) -> None:
    async with wire_to(server) as idle, wire_to(server) as busy:
        await idle.ask(LIVE)
        await busy.send(POST)
        await eventually(lambda: service.engine.waiting)
        stop = asyncio.create_task(server.stop(20))
        assert await idle.end() == b""
        service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
        reply = await busy.reply()
        assert (reply.body, reply.headers["connection"]) == (b"1", "close")
        await stop
    with pytest.raises(OSError, match="Connect"):
        async with wire_to(server):
            pass


async def test_a_stop_waits_no_longer_than_it_may(server: HttpServer, service: Service) -> None:
    async with wire_to(server) as busy:
        await busy.send(POST)
        await eventually(lambda: service.engine.waiting)
        await server.stop(0)
        assert not service.engine.waiting
