"""Requests that come before the one before them is answered."""

import asyncio
import gc
from collections.abc import Callable

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.connections.conftest import Served, Start
from tests.unit.connections.test_connection import HEAD, LIVE, LONG, POST
from tests.unit.connections.wire import Wire, wire_to
from tests.unit.http.conftest import Service
from tests.unit.http.scripted_engine import ScriptedEngine, succeeded
from zypher.connections.connection import Connection
from zypher.disconnect import ClientDisconnected
from zypher.http.request import Request
from zypher.http.response import Response

NONSENSE = HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"


class Held:
    """An app that answers none before it may, and reads no body."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.may_answer = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        await self.may_answer.wait()
        return Response(200, request.path.encode())


async def test_requests_are_answered_in_order(start: Start) -> None:
    held = Held()
    held.may_answer.set()
    async with wire_to(await start(held)) as wire:
        await wire.send(b"".join(_request(number) for number in range(100)))
        assert [(await wire.reply()).body for _ in range(100)] == [b"/%d" % number for number in range(100)]


async def test_unanswered_requests_pause_reading(start: Start) -> None:
    held = Held()
    async with wire_to(await start(held)) as wire:
        sending = asyncio.create_task(wire.send(b"".join(_request(number, b"x" * 30_000) for number in range(1_000))))
        await _let_pass(lambda: held.requests)
        assert not sending.done()
        held.may_answer.set()
        assert [(await wire.reply()).body for _ in range(1_000)] == [b"/%d" % number for number in range(1_000)]
        await sending


async def test_an_unread_body_is_not_buffered_and_is_skipped(start: Start) -> None:
    held = Held()
    async with wire_to(await start(held)) as wire:
        sending = asyncio.create_task(wire.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(LONG) + LONG))
        await _let_pass(lambda: held.requests)
        assert not sending.done()
        held.may_answer.set()
        assert (await wire.reply()).body == b"/predict"
        await sending
        assert (await wire.ask(_request(2))).body == b"/2"


async def test_invalid_bytes_are_refused_after_earlier_responses(server: Served, service: Service) -> None:
    async with wire_to(server) as wire:
        await wire.send(POST + LIVE + NONSENSE)
        await _end_the_prediction(service.engine)
        await _expect_answers_and_a_refusal(wire)


async def test_invalid_bytes_do_not_cost_the_pending_response(server: Served, service: Service) -> None:
    async with wire_to(server) as wire:
        await wire.send(POST)
        await eventually(lambda: service.engine.waiting)
        await wire.send(b"\x00")
        await _answered(server)
        await _end_the_prediction(service.engine)
        assert (await wire.reply()).body == b"1"
        assert (await wire.reply()).status == 400
        assert await wire.end() == b""


async def test_endless_invalid_bytes_do_not_reset_earlier_responses(server: Served, service: Service) -> None:
    async with wire_to(server) as wire:
        sending = asyncio.create_task(wire.send(POST + LIVE + NONSENSE + LONG))
        await _end_the_prediction(service.engine)
        await sending
        await _expect_answers_and_a_refusal(wire)


async def test_a_refused_request_gets_no_second_answer(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    held = Held()
    async with wire_to(await start(held)) as wire:
        assert (await wire.ask(NONSENSE)).status == 400
        held.may_answer.set()
        assert await wire.end() == b""
    assert not caplog.records


async def test_a_refused_body_is_not_asked_for(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    head = HEAD + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with wire_to(server) as wire:
        assert (await wire.ask(head + b"no chunk\r\n")).status == 400
        assert await wire.end() == b""
    assert caplog.records == []


async def test_a_handler_waiting_for_a_refused_body_is_interrupted(start: Start) -> None:
    interrupted = asyncio.Event()

    async def read(request: Request) -> Response:
        try:
            while request.more_body:
                await request.chunk()
        except ClientDisconnected:
            interrupted.set()
            raise
        return Response(200, b"")

    async with wire_to(await start(read)) as wire:
        assert (await wire.ask(NONSENSE)).status == 400
        async with asyncio.timeout(10):
            await interrupted.wait()


async def test_a_partial_request_does_not_shorten_earlier_waits(
    server: Served, service: Service, clock: FakeClock
) -> None:
    async with wire_to(server) as wire:
        await wire.send(POST + POST + b"GET /half HTTP/1.1\r\n")
        await _end_the_prediction(service.engine)
        assert (await wire.reply()).body == b"1"
        await eventually(lambda: service.engine.waiting)
        clock.advance(1_000)
        clock.advance(1_000)
        await _end_the_prediction(service.engine)
        assert (await wire.reply()).body == b"1"
        clock.advance(40)
        assert (await wire.reply()).status == 408


@pytest.mark.parametrize("request_", [POST, LIVE, POST[:-1], LIVE[:-1], LIVE + NONSENSE, b""])
async def test_a_connection_that_is_over_is_forgotten_at_once(server: Served, request_: bytes) -> None:
    gc.collect()
    gc.disable()
    try:
        async with wire_to(server) as wire:
            await wire.send(request_)
            await _answered(server)
        await eventually(lambda: not any(isinstance(each, Connection) for each in gc.get_objects()), within_s=3)
    finally:
        gc.enable()


def _request(number: int, filling: bytes = b"") -> bytes:
    return b"GET /%d HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (number, filling)


async def _let_pass(condition: Callable[[], object]) -> None:
    """Wait for this, and then long enough for all that must not happen after it."""
    await eventually(condition)
    for _ in range(1_000):
        await asyncio.sleep(0)


async def _end_the_prediction(engine: ScriptedEngine) -> None:
    await eventually(lambda: engine.waiting)
    for prediction_id in list(engine.waiting.values()):
        engine.end(prediction_id, succeeded(b"1"))
    await eventually(lambda: not engine.waiting)


async def _expect_answers_and_a_refusal(wire: Wire) -> None:
    assert (await wire.reply()).body == b"1"
    assert (await wire.reply()).body == b'{"status": "live"}'
    refused = await wire.reply()
    assert (refused.status, refused.headers["connection"]) == (400, "close")
    assert await wire.end() == b""


async def _answered(server: Served) -> None:
    """Let the server read what was sent: another connection, opened later, is answered later."""
    async with wire_to(server) as other:
        await other.ask(LIVE)
