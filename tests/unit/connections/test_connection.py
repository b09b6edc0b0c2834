"""What a client may do to a connection, over a real socket."""

import asyncio
import contextlib

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.connections.conftest import Served, Start
from tests.unit.connections.wire import Wire, wire_to
from tests.unit.http.conftest import Service
from tests.unit.http.scripted_engine import succeeded
from zypher.connections.responses import MAX_HEAD_BYTES, MAX_TARGET_BYTES
from zypher.http.request import Request
from zypher.http.response import Response

LIVE = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = b'{"input": "hello"}'
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
POST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


LONG = b"x" * 30_000_000  # more than the system takes from a server whose client does not read


class Answering:
    """An app whose answers are long."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, request: Request) -> Response:
        self.begun += 1
        await self.may_answer.wait()
        self.ended += 1
        return Response(200, LONG)


@pytest.fixture(autouse=True)
def responses(service: Service) -> None:
    service.engine.outcome = succeeded(b'"HELLO"')


async def test_one_connection_serves_many_requests(server: Served) -> None:
    async with wire_to(server) as wire:
        assert [(await wire.ask(POST)).body for _ in range(3)] == [b'"HELLO"'] * 3


async def test_a_request_sent_byte_by_byte_is_served(server: Served) -> None:
    async with wire_to(server) as wire:
        for byte in POST:
            await wire.send(bytes([byte]))
        assert (await wire.reply()).body == b'"HELLO"'


async def test_a_chunked_body_is_read(server: Served) -> None:
    chunks = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in BODY)
    async with wire_to(server) as wire:
        request = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nTrailer: x\r\n\r\n"
        assert (await wire.ask(request)).body == b'"HELLO"'
        assert (await wire.ask(LIVE)).status == 200


async def test_small_pieces_after_a_large_one_are_all_read(server: Served) -> None:
    text = b'{"input": "' + b"x" * 70_000
    pieces = [text, *(b"%c" % byte for byte in b"y" * 50), b'"}']
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    async with wire_to(server) as wire:
        reply = await wire.ask(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert reply.body == b'"HELLO"'


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"BREW /predict HTTP/1.1\r\n\r\n",
        b"GET /predict HTTP/3.0\r\n\r\n",
        b"GET predict HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET /predict HTTP/1.1\r\nNo colon\r\n\r\n",
        b"GET /predict HTTP/1.1\r\nX: a\x00b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /predict HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n",
        b"GET /predict HTTP/1.1\r\nHost: localhost\r\nX: y\r\n folded: z\r\n\r\n",
        b"GET /predict HTTP/1.1\nHost: localhost\n\n",
        b"GET /predict HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        b"GET /predict HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
        HEAD + b"Content-Length:\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1e3\r\n\r\n",
        HEAD + b"Content-Length: 3, 3\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
        HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_bad_request(server: Served, request_: bytes) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(request_)
    assert reply.status == 400
    assert reply.error


@pytest.mark.parametrize("method", [b"TRACE", b"OPTIONS", b"CONNECT", b"PUT", b"QUERY", b"PROPFIND"])
async def test_a_method_without_a_route_names_those_that_have_one(server: Served, method: bytes) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(method + b" /predict HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (reply.status, reply.headers["allow"]) == (405, "post")
    assert "POST" in reply.error


@pytest.mark.parametrize("target", [b"*", b"/predict%00", b"/%ff%fe", b"//predict", b"/Predict"])
async def test_an_unknown_route_is_not_found(server: Served, target: bytes) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert reply.status == 404
    assert reply.error


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://example.org/healthz/live HTTP/1.1",
        b"GET /healthz/live?x#y HTTP/1.1",
        b"GET /healthz/%6cive HTTP/1.1",
        b"GET /healthz/live HTTP/1.0",
    ],
)
async def test_a_target_may_have_many_forms(server: Served, line: bytes) -> None:
    async with wire_to(server) as wire:
        assert (await wire.ask(line + b"\r\nHost: localhost\r\n\r\n")).body == b'{"status": "live"}'


@pytest.mark.parametrize("offer", [b"h2c", b"websocket"])
async def test_an_offer_to_upgrade_is_declined_and_the_body_read(server: Served, offer: bytes) -> None:
    upgrade = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + offer + b"\r\n"
    request = upgrade + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    async with wire_to(server) as wire:
        assert (await wire.ask(request + request)).body == b'"HELLO"'
        assert (await wire.reply()).body == b'"HELLO"'
        assert (await wire.ask(LIVE)).status == 200


async def test_old_http_may_offer_an_upgrade(server: Served) -> None:
    async with wire_to(server) as wire:
        offer = b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        assert (await wire.ask(b"GET /healthz/live HTTP/1.0\r\n" + offer)).status == 200
        assert await wire.end() == b""


async def test_a_tunnel_is_declined_and_the_connection_closed(server: Served) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(b"CONNECT /predict HTTP/1.1\r\nHost: localhost\r\n\r\n" + LIVE)
        assert (reply.status, reply.headers["connection"]) == (405, "close")
        assert await wire.end() == b""


async def test_a_head_response_has_no_body(server: Served) -> None:
    async with wire_to(server) as wire:
        await wire.send(LIVE.replace(b"GET", b"HEAD") + LIVE)
        assert (await wire.reply(to_head=True)).headers["content-length"] == "18"
        assert (await wire.reply()).body == b'{"status": "live"}'


async def test_a_client_may_ask_to_close(server: Served) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(LIVE.replace(b"Host: localhost", b"Host: localhost\r\nConnection: close"))
        assert reply.headers["connection"] == "close"
        assert await wire.end() == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz/live HTTP/1.1\r\n",
        b"GET http://x/healthz/live HTTP/1.1\r\n",
        b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\nX: y\r\nhost: x\r\n",
        b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\nHost: y\r\n",
        b"GET /healthz/live HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
    ],
)
async def test_a_request_names_one_host(server: Served, head: bytes) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(head + b"\r\n")
        assert (reply.status, reply.headers["connection"]) == (400, "close")
        assert "Host" in reply.error
        assert await wire.end() == b""


async def test_a_header_may_be_repeated(server: Served) -> None:
    async with wire_to(server) as wire:
        twice = POST.replace(b"Host: localhost", b"Prefer: x=y\r\nHost: localhost\r\nPREFER: wait=7")
        assert (await wire.ask(twice)).headers["preference-applied"] == "wait=7"


async def test_old_http_is_answered_and_closed(server: Served) -> None:
    async with wire_to(server) as wire:
        assert (await wire.ask(b"GET /healthz/live HTTP/1.0\r\n\r\n")).status == 200
        assert await wire.end() == b""


async def test_a_client_gets_100_continue(server: Served) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert reply.status == 100
        assert (await wire.ask(BODY)).body == b'"HELLO"'


async def test_a_refused_body_gets_no_100_continue(server: Served) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(HEAD + b"Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n")
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        assert await wire.end() == b""


async def test_a_body_sent_without_100_continue_keeps_the_connection(server: Served) -> None:
    expecting = b"Host: localhost\r\nExpect: 100-continue"
    async with wire_to(server) as wire:
        assert (await wire.ask(POST.replace(b"Host: localhost", expecting))).body == b'"HELLO"'
        assert (await wire.ask(LIVE.replace(b"Host: localhost", expecting))).status == 200
        assert (await wire.ask(LIVE)).status == 200


@pytest.mark.parametrize("framing", [b"Content-Length: 300000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n493e0\r\n"])
async def test_a_body_that_is_too_large_is_refused_and_skipped(server: Served, framing: bytes) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(HEAD + framing + b"x" * 300_000)
        assert reply.status == 413
        assert "100000 bytes" in reply.error
        if b"Length" in framing:
            assert (await wire.ask(LIVE)).status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz/live HTTP/1.1\r\n" + b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
        b"GET /healthz/live HTTP/1.1\r\n" + b"X: y\r\n" * 2_000 + b"\r\n",
        b"GET /healthz/live HTTP/1.1\r\nX: " + b"x" * 1_000_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 1_000_000,
    ],
)
async def test_headers_that_are_too_large_are_refused(server: Served, head: bytes) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(head)
        assert reply.status == 431
        assert str(MAX_HEAD_BYTES) in reply.error


async def test_a_url_that_is_too_long_is_refused(server: Served) -> None:
    async with wire_to(server) as wire:
        reply = await wire.ask(b"GET /" + b"x" * MAX_TARGET_BYTES + b" HTTP/1.1\r\n\r\n")
        assert reply.status == 414


@pytest.mark.parametrize(
    "part", [b"", b"G", b"GET /healthz/live HTTP/1.1\r\nHost:", HEAD + b"Content-Length: 9\r\n\r\nhalf"]
)
async def test_half_a_request_is_cut_off_in_time(server: Served, clock: FakeClock, part: bytes) -> None:
    async with wire_to(server) as wire:
        await wire.send(part)
        await _settled(server)
        clock.advance(33)
        reply = await wire.reply()
        assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert reply.error
        assert await wire.end() == b""


async def test_a_slow_client_within_the_deadline_is_served(server: Served, clock: FakeClock) -> None:
    async with wire_to(server) as wire:
        await wire.send(POST[:50])
        await _settled(server)
        clock.advance(29.9)
        assert (await wire.ask(POST[50:])).status == 200


async def test_a_trickled_body_is_cut_off_in_time(server: Served, clock: FakeClock) -> None:
    async with wire_to(server) as wire:
        await wire.send(b"GET /healthz/live HTTP/1.1\r\n")
        for _ in range(33):
            await wire.send(b"X: y\r\n")
            await _settled(server)
            clock.advance(1)
        assert (await wire.reply()).status == 408


async def test_an_idle_connection_is_closed_in_time(server: Served, clock: FakeClock) -> None:
    async with wire_to(server) as wire:
        await wire.ask(LIVE)
        clock.advance(74)
        assert (await wire.ask(LIVE)).status == 200
        clock.advance(77)
        assert await wire.end() == b""


async def test_a_client_that_reads_nothing_is_cut_off(start: Start, clock: FakeClock) -> None:
    current = Answering()
    async with wire_to(await start(current)) as wire:
        await wire.send(LIVE)
        await eventually(lambda: current.ended == 1)
        await wire.send(LIVE + LIVE)
        await eventually(lambda: current.ended == 2)
        for _ in range(100):
            await asyncio.sleep(0)
        assert current.begun == 2
        clock.advance(77)
        clock.advance(4)
        assert len(await wire.end()) < len(LONG)


async def test_an_aborted_client_gives_its_bytes_back(start: Start) -> None:
    async def large(request: Request) -> Response:
        return Response(200, b"x" * 9_000_000)

    server = await start(large)
    async with wire_to(server) as wire:
        await wire.send(LIVE)
        await eventually(lambda: server.app.budget.used_bytes >= 9_000_000)
        await wire.hang_up()
    await eventually(lambda: server.app.budget.used_bytes == 0)


async def test_a_slow_reader_may_wait_for_its_next_response(start: Start, clock: FakeClock) -> None:
    current = Answering()
    current.may_answer.clear()
    async with wire_to(await start(current)) as wire:
        await wire.send(LIVE)
        await eventually(lambda: current.begun == 1)
        current.may_answer.set()
        await eventually(lambda: current.ended == 1)
        current.may_answer.clear()
        await wire.send(LIVE)
        await eventually(lambda: current.begun == 2)
        assert len((await wire.reply()).body) == len(LONG)
        clock.advance(1000)
        clock.advance(1000)
        current.may_answer.set()
        assert len((await wire.reply()).body) == len(LONG)


async def test_a_refused_client_that_stays_is_closed(server: Served, clock: FakeClock) -> None:
    async with wire_to(server) as wire:
        await wire.ask(b"nonsense\r\n\r\n")
        await wire.end()
        clock.advance(4)
        with pytest.raises(ConnectionError):
            await _write_until_refused(wire)


async def test_a_prediction_may_take_longer_than_every_timeout(
    server: Served, service: Service, clock: FakeClock
) -> None:
    service.engine.outcome = None
    async with wire_to(server) as wire:
        await wire.send(POST + b"GET /half HTTP/1.1\r\n")
        await eventually(lambda: service.engine.waiting)
        clock.advance(1_000)
        service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
        assert (await wire.reply()).body == b"1"
        clock.advance(40)
        assert (await wire.reply()).status == 408


async def test_invalid_bytes_after_a_response_are_400(server: Served) -> None:
    async with wire_to(server) as wire:
        assert (await wire.ask(POST)).status == 200
        assert (await wire.ask(b"\x00")).status == 400
        assert await wire.end() == b""


async def test_a_trailer_is_no_header(server: Served) -> None:
    async with wire_to(server) as wire:
        chunks = b"%x\r\n%b\r\n0\r\nAsync-Mode: maybe\r\n\r\n" % (len(BODY), BODY)
        assert (await wire.ask(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)).status == 200


async def test_a_trailer_that_closes_the_connection_closes_it(server: Served) -> None:
    async with wire_to(server) as wire:
        chunks = b"%x\r\n%b\r\n0\r\nConnection: close\r\n\r\n" % (len(BODY), BODY)
        reply = await wire.ask(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + LIVE)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await wire.end() == b""


async def test_a_disconnect_cancels_a_waiting_prediction(server: Served, service: Service) -> None:
    service.engine.outcome = None
    async with contextlib.AsyncExitStack() as wires:
        clients = [await wires.enter_async_context(wire_to(server)) for _ in range(50)]
        for wire in clients:
            await wire.send(POST)
        await eventually(lambda: len(service.engine.waiting) == len(clients))
        for wire in clients:
            await wire.hang_up()
        await eventually(lambda: not service.engine.waiting)
        await eventually(lambda: all(p.outcome is not None for p in service.engine.predictions.values()))
    async with wire_to(server) as wire:
        assert (await wire.ask(LIVE)).status == 200


async def test_a_keyed_prediction_survives_a_disconnect(server: Served, service: Service) -> None:
    service.engine.outcome = None
    async with wire_to(server) as wire:
        await wire.send(POST.replace(b"Host: localhost", b"Host: localhost\r\nIdempotency-Key: k"))
        await eventually(lambda: service.engine.waiting)
    await eventually(lambda: not service.engine.waiting)
    assert service.engine.only.outcome is None


async def test_an_endpoint_that_fails_is_answered_for(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Response:
        raise ZeroDivisionError

    async with wire_to(await start(broken)) as wire:
        assert (await wire.ask(LIVE)).status == 500
        assert (await wire.ask(LIVE)).status == 500
    assert "ZeroDivisionError" in caplog.text


async def _settled(server: Served) -> None:
    """Let the server read what was sent: another connection, opened later, is answered later."""
    async with wire_to(server) as other:
        await other.ask(LIVE)
    await asyncio.sleep(0)


async def _write_until_refused(wire: Wire) -> None:
    async with asyncio.timeout(10):
        while True:
            await wire.send(b"more")
            await asyncio.sleep(0)
