"""One connection: reads requests, hands them to the app one at a time, writes its answers in their order.

    parsing     httptools'; a request is handed over as soon as its head is whole
    deadlines   a request must be whole in time; a connection that is idle, or whose client does not read, ends in time
    limits      on the bytes of a head and of a target
    refusals    what is not HTTP gets a JSON answer, after those to the requests before it
    upgrades    an offer to upgrade is declined: the request is served as plain HTTP/1.1

Nothing here costs a timer or a watching task per request.
"""

import asyncio
import logging
import math
from collections import deque
from datetime import datetime
from email.utils import format_datetime
from typing import cast

import httptools

from zypher.http.answer import Answer
from zypher.http.hangup import Hangup
from zypher.http.refusals import (
    HEAD_TOO_LARGE,
    HEADER_BYTES,
    MAX_HEAD_BYTES,
    MAX_TARGET_BYTES,
    NOT_HTTP,
    NOT_ONE_HOST,
    TARGET_TOO_LONG,
    TOO_SLOW,
    Refusal,
)
from zypher.http.request import App, Headers, Request
from zypher.http.response import CONTINUE, response
from zypher.http.target import split_target
from zypher.http.upgrade import head_without_upgrade

logger = logging.getLogger(__name__)

_MOST_UNREAD_BYTES = 65_536  # of a body that no endpoint waits for
_LINGER_S = 2.0  # for a client to read why it was cut off


class Shared:
    """What the connections of one server share. The server's sweep keeps the readings fresh."""

    def __init__(self, read_timeout_s: float, keep_alive_timeout_s: float) -> None:
        self._read_timeout_s = read_timeout_s
        self._keep_alive_timeout_s = keep_alive_timeout_s
        self.read_deadline_s = self.idle_deadline_s = self.linger_deadline_s = 0.0
        self.date = b""
        self.connections: set[Connection] = set()
        self.deserted: set[asyncio.Task[None]] = set()  # answers whose clients have gone, until they are given up

    def refresh(self, now_s: float, now: datetime) -> None:
        """Read the clock: the monotonic one, and the calendar's."""
        self.read_deadline_s = now_s + self._read_timeout_s  # of a request that begins now
        self.idle_deadline_s = now_s + self._keep_alive_timeout_s  # of a connection that rests from now on
        self.linger_deadline_s = now_s + _LINGER_S  # of one that is closed now
        self.date = f"date: {format_datetime(now, usegmt=True)}\r\n".encode()  # the header, as a whole line


class Connection(asyncio.Protocol):
    """The server's end of one connection."""

    def __init__(self, app: App, shared: Shared) -> None:
        self._loop = asyncio.get_running_loop()
        self.deadline_s = shared.read_deadline_s  # monotonic
        self.lost: asyncio.Future[None] = self._loop.create_future()  # done once the connection is no more
        self._app = app
        self._shared = shared
        self._hangup = Hangup()
        self._transport: asyncio.Transport
        self._parser = self._new_parser()
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._request: Request | None = None  # the newest
        self._answering: Request | None = None  # the one that the app has, or had last
        self._task: asyncio.Task[None] | None = None  # in which it has it
        self._waiting: deque[Request] = deque()  # those that the app does not have yet
        self._receiving = True  # a request has begun and not ended, or the first is awaited
        self._in_head = True  # its head is not whole, or it has not begun
        self._paused = False  # the transport reads no more, until it is resumed
        self._over = False  # nothing more is read
        self._refusal: Answer | None = None  # for what came after the requests that wait for their answers
        self._fed_bytes = 0  # what the parser was given last
        self._quiet_bytes = 0  # what it was given since a request began or a piece of a body was found
        self._drained: asyncio.Event | None = None  # set once the client, which is behind, has read again

    @property
    def answer_in_progress(self) -> asyncio.Task[None] | None:
        """The task in which the app has a request."""
        return None if self._answering is None or self._answering.answered else self._task

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._shared.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.connections.discard(self)
        if (task := self.answer_in_progress) is not None:
            self._shared.deserted.add(task)
            task.add_done_callback(self._shared.deserted.discard)
        self._over = True
        self.resume_writing()
        self._hangup.happen()
        self.lost.set_result(None)
        # These know the connection: they would keep it, and all that was sent, until the garbage collector comes.
        del self._parser
        self._request = self._answering = None
        self._waiting.clear()

    def eof_received(self) -> None:
        """Close: whoever sends no more is taken to have gone."""

    def pause_writing(self) -> None:
        self._drained = asyncio.Event()

    def resume_writing(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None
        if self._owes_whole_request() and not self._transport.is_closing():
            self.deadline_s = math.inf

    def data_received(self, data: bytes) -> None:
        while data and not self._over:
            data = self._feed(data)

    def expire(self) -> None:
        """The deadline has passed."""
        if self._over or self._transport.is_closing():
            self._transport.abort()
        elif self._receiving:
            self._refuse(TOO_SLOW)
        else:
            self._transport.close()
            self.deadline_s = self._shared.linger_deadline_s

    def stop(self) -> None:
        """Close as soon as the request that the app has is answered; those behind it are to be sent again."""
        if self._answering is None or self._answering.answered:
            self._transport.close()
        else:
            self._answering.keeps_alive = False

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = {}
        self._head_bytes = 0
        self._receiving = True
        self._quiet_bytes = -self._fed_bytes
        if not self._owes_whole_request():
            self.deadline_s = self._shared.read_deadline_s

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > MAX_TARGET_BYTES:
            raise Refusal(TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer, which nobody asked for
        self._head_bytes += len(name) + len(value) + HEADER_BYTES
        if self._head_bytes > MAX_HEAD_BYTES:
            raise Refusal(HEAD_TOO_LARGE)
        name = name.lower()
        earlier = self._headers.get(name)
        self._headers[name] = value if earlier is None else b"%b, %b" % (earlier, value)

    def on_headers_complete(self) -> None:
        method = self._parser.get_method().decode()
        if self._parser.should_upgrade() and method != "CONNECT":
            return  # comes again without its offer
        self._request = request = self._new_request(method)
        self._in_head = False
        self._quiet_bytes = -self._fed_bytes
        if self._answering is None or self._answering.answered:
            self._start(request)
        else:
            self._pause()
            self._waiting.append(request)

    def on_body(self, body: bytes) -> None:
        self._quiet_bytes = -self._fed_bytes
        request = self._request
        if request is None or request.answered:
            return
        request.feed(body)
        if request.unread_bytes > _MOST_UNREAD_BYTES:
            self._pause()

    def on_message_complete(self) -> None:
        request = self._request
        if self._in_head or request is None:
            return  # comes again without its offer to upgrade
        self._receiving = False
        self._in_head = True
        request.end()
        self.deadline_s = self._shared.idle_deadline_s if request.answered else self._answer_deadline_s()

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _new_request(self, method: str) -> Request:
        headers = self._headers
        version = self._parser.get_http_version()
        _check_host(headers, version)
        try:
            path, query = split_target(self._target)
        except ValueError:
            raise Refusal(NOT_HTTP) from None
        request = Request(method, path, query, headers, self._hangup, self._body_wanted)
        request.keeps_alive = version == "1.1" and self._parser.should_keep_alive()
        if b"expect" in headers:
            request.expects_continue = version == "1.1" and headers[b"expect"].lower() == b"100-continue"
        return request

    def _feed(self, data: bytes) -> bytes:
        """Hand bytes to the parser; returns those that are to be read again."""
        self._fed_bytes = len(data)
        try:
            self._parser.feed_data(data)
            if self._receiving:
                self._check_quiet_bytes()
        except httptools.HttpParserUpgrade as offer:
            return self._decline_upgrade(data[int(offer.args[0]) :])
        except httptools.HttpParserError as error:
            if error.__context__ is None:
                self._refuse(NOT_HTTP)
            elif isinstance(error.__context__, Refusal):  # raised in a callback
                self._refuse(error.__context__.answer)
            else:
                raise
        except Refusal as refusal:
            self._refuse(refusal.answer)
        return b""

    def _body_wanted(self) -> None:
        """The app waits for the body of the request that it has."""
        request = self._answering
        if request is not None and request.expects_continue:
            request.expects_continue = False
            self._transport.write(CONTINUE)
        self._resume()

    def _start(self, request: Request) -> None:
        self._answering = request
        self.deadline_s = self._answer_deadline_s() if request.whole else self._shared.read_deadline_s
        self._task = self._loop.create_task(self._answer(request))

    async def _answer(self, request: Request) -> None:
        """Let the app answer. If it does not, the connection ends."""
        try:
            answer = await self._app(request)
            if self._drained is not None:
                await self._drained.wait()
            if answer is not None and not request.answered:
                self._respond(request, answer)
        except Exception:
            logger.exception("the app failed to answer")
        finally:
            if not request.answered:
                self._transport.abort()

    def _respond(self, request: Request, answer: Answer) -> None:
        # Never told to continue, a client may leave its body out or not: no next request could be found.
        keeps_alive = request.keeps_alive and (request.whole or not request.expects_continue)
        with_body = request.method != "HEAD"
        data = response(answer, self._shared.date, keeps_alive=keeps_alive, with_body=with_body)
        request.finish()
        if self._transport.is_closing():
            return
        self._transport.write(data)
        self.deadline_s = self._shared.idle_deadline_s
        if not keeps_alive:
            self._end()
        elif self._waiting:
            self._start(self._waiting.popleft())
        elif self._refusal is not None:
            self._end_with(self._refusal)
        elif self._receiving:
            self.deadline_s = self._shared.read_deadline_s
        if self._paused and not self._waiting and not self._over:
            self._resume()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _answer_deadline_s(self) -> float:
        """None for the app, but one for a client that has yet to read what it was answered before."""
        return math.inf if self._drained is None else self._shared.idle_deadline_s

    def _owes_whole_request(self) -> bool:
        """Whether the app has a request that is all here: what is being received is a later one."""
        return self._answering is not None and self._answering.whole and not self._answering.answered

    def _decline_upgrade(self, rest: bytes) -> bytes:
        """The same head without its offer, after which the parser would expect another protocol, and the rest."""
        parser = self._parser
        if parser.get_method() == b"CONNECT" and self._request is not None:
            self._request.keeps_alive = False
            self._over = True
            return b""
        self._parser = self._new_parser()
        head = head_without_upgrade(parser.get_method(), self._target, parser.get_http_version(), self._headers)
        return head + rest

    def _check_quiet_bytes(self) -> None:
        self._quiet_bytes += self._fed_bytes
        if self._quiet_bytes > MAX_HEAD_BYTES:
            raise Refusal(HEAD_TOO_LARGE)

    def _refuse(self, refusal: Answer) -> None:
        """Read no more, and say why once the requests before have their answers."""
        request = None if self._in_head else self._request
        if self._owes_whole_request():
            self._put_off(refusal)
        elif request is None:
            self._end_with(refusal)
        elif request.answered:
            self._end()
        else:
            request.finish()
            self._hangup.happen()  # the app, which waits for the rest of a body, need not answer
            self._end_with(refusal)

    def _put_off(self, refusal: Answer) -> None:
        if not self._in_head:
            self._waiting.pop()
        self._over = True
        self._refusal = refusal
        self._pause()

    def _end_with(self, refusal: Answer) -> None:
        self._transport.write(response(refusal, self._shared.date, keeps_alive=False, with_body=True))
        self._end()

    def _end(self) -> None:
        """Close, but not before the client could read the answer: unread bytes would turn it into a reset."""
        self._over = True
        if self._receiving or self._paused:
            self._resume()
            self._transport.write_eof()
            self.deadline_s = self._shared.linger_deadline_s if self._drained is None else self._shared.idle_deadline_s
        else:
            self._transport.close()


def _check_host(headers: Headers, version: str) -> None:
    host = headers.get(b"host")
    if (host is None and version == "1.1") or (host is not None and b"," in host):
        raise Refusal(NOT_ONE_HOST)
