"""Serving and stopping."""

import asyncio

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.connections.conftest import Served, Start
from tests.unit.connections.test_connection import LIVE, LONG, POST
from tests.unit.connections.wire import wire_to
from tests.unit.http.conftest import Service
from tests.unit.http.memory_engine import succeeded
from zypher.http.answer import Answer
from zypher.http.app import Application
from zypher.http.hangup import HungUp
from zypher.http.request import Receive, Request, Scope, Send


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
    answering = asyncio.Event()

    async def long(request: Request) -> Answer:
        answering.set()
        return Answer(200, LONG)

    server = await start(long)
    async with wire_to(server) as slow:
        await slow.send(LIVE)
        await answering.wait()
        await asyncio.sleep(0)
        stop = asyncio.create_task(server.stop(20))
        assert len((await slow.reply()).body) == len(LONG)
        await stop


async def test_a_stop_says_that_what_follows_is_not_served(server: Served, service: Service) -> None:
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

    async def tidy(request: Request) -> Answer:
        try:
            await request.hangup.interrupts(asyncio.Event().wait())
        except HungUp:
            leaving.set()
            await may_leave.wait()
        return Answer(200, b"")

    server = await start(tidy)
    async with wire_to(server) as wire:
        await wire.send(LIVE)
        await wire.hang_up()
    await leaving.wait()
    answered = asyncio.create_task(server.answer_all(20))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not answered.done()
    may_leave.set()
    await answered


async def test_a_stop_waits_no_longer_than_it_may(server: Served, service: Service) -> None:
    async with wire_to(server) as busy:
        await busy.send(POST)
        await eventually(lambda: service.engine.waiting)
        await server.stop(0)
        assert not service.engine.waiting


async def test_an_application_that_raises_ends_its_connection_and_is_in_the_log(
    service: Service, start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def raises(app: Application, scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Application, "__call__", raises)
    async with wire_to(await start(service.app)) as wire:
        await wire.send(LIVE)
        assert await wire.end() == b""
    assert "a mistake of ours" in caplog.text
