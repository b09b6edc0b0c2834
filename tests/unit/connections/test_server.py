"""Serving and stopping."""

import asyncio

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.connections.conftest import Served, Start
from tests.unit.connections.test_connection import LIVE, LONG, POST
from tests.unit.connections.wire import wire_to
from tests.unit.http.conftest import Service
from tests.unit.http.scripted_engine import succeeded
from zypher.connections.server import check_proxies
from zypher.disconnect import ClientDisconnected
from zypher.errors import SettingsError
from zypher.http.app import Application
from zypher.http.request import Receive, Request, Scope, Send
from zypher.http.response import Response


async def test_the_date_is_that_of_the_clock(server: Served, clock: FakeClock) -> None:
    async with wire_to(server) as wire:
        clock.advance(10)
        assert (await wire.ask(LIVE)).headers["date"] == "thu, 01 jan 2026 00:00:10 gmt"


async def test_a_stop_lets_a_response_end(server: Served, service: Service) -> None:
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
    server.listener.close()
    with pytest.raises(OSError, match="Connect"):
        async with wire_to(server):
            pass


async def test_a_stop_lets_an_answer_be_read(start: Start) -> None:
    current = asyncio.Event()

    async def long(request: Request) -> Response:
        current.set()
        return Response(200, LONG)

    server = await start(long)
    async with wire_to(server) as slow:
        await slow.send(LIVE)
        await current.wait()
        await asyncio.sleep(0)
        stop = asyncio.create_task(server.stop(20))
        assert len((await slow.reply()).body) == len(LONG)
        await stop


async def test_a_stopping_server_closes_the_connection(server: Served, service: Service) -> None:
    async with wire_to(server) as busy:
        await busy.send(POST + POST + LIVE[:-2])
        await eventually(lambda: service.engine.waiting)
        stop = asyncio.create_task(server.stop(20))
        await asyncio.sleep(0)
        service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
        assert (await busy.reply()).headers["connection"] == "close"
        assert await busy.end() == b""
        await busy.hang_up()
        await stop
    assert len(service.engine.predictions) == 1


async def test_an_answer_whose_client_has_gone_is_waited_for(start: Start) -> None:
    leaving, may_leave = asyncio.Event(), asyncio.Event()

    async def tidy(request: Request) -> Response:
        try:
            await request.disconnect.interrupts(asyncio.Event().wait())
        except ClientDisconnected:
            leaving.set()
            await may_leave.wait()
        return Response(200, b"")

    server = await start(tidy)
    async with wire_to(server) as wire:
        await wire.send(LIVE)
        await wire.hang_up()
    await leaving.wait()
    answered = asyncio.create_task(server.wait_for_responses(20))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not answered.done()
    may_leave.set()
    await answered


async def test_each_connection_ends_with_the_next_response(server: Served) -> None:
    async with wire_to(server) as kept, wire_to(server) as pipelining:
        assert "connection" not in (await kept.ask(LIVE)).headers
        server.retire()
        assert (await kept.ask(LIVE)).headers["connection"] == "close"
        assert await kept.end() == b""
        await pipelining.send(LIVE + LIVE)
        assert "connection" not in (await pipelining.reply()).headers
        assert (await pipelining.reply()).headers["connection"] == "close"
        assert await pipelining.end() == b""


async def test_a_stop_in_a_hurry_waits_for_no_response(server: Served, service: Service) -> None:
    async with wire_to(server) as busy:
        await busy.send(POST)
        await eventually(lambda: service.engine.waiting)
        stop = asyncio.create_task(server.stop(600))
        await asyncio.sleep(0)
        server.hurry()
        await stop
        assert not service.engine.waiting


async def test_a_stop_waits_no_longer_than_it_may(server: Served, service: Service) -> None:
    async with wire_to(server) as busy:
        await busy.send(POST)
        await eventually(lambda: service.engine.waiting)
        await server.stop(0)
        assert not service.engine.waiting


async def test_an_application_error_is_logged_and_closes_the_connection(
    service: Service, start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def raises(app: Application, scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Application, "__call__", raises)
    async with wire_to(await start(service.app)) as wire:
        await wire.send(LIVE)
        assert await wire.end() == b""
    assert "a mistake of ours" in caplog.text


def test_a_proxy_is_an_address_a_network_or_any() -> None:
    check_proxies(["10.0.0.1", "10.0.0.0/8", "::1", "*"])
    for proxy in ("proxy.example", "10.0.0.1/33", ""):
        with pytest.raises(SettingsError, match="--forwarded-allow-ips"):
            check_proxies([proxy])
