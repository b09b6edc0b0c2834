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
from typing import cast

import httptools

from zypher.http.answer import Answer, error_answer
from zypher.http.hangup import Hangup
from zypher.http.request import App, Headers, Request
from zypher.http.response import CONTINUE, response
from zypher.http.target import split_target

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 65_536
MAX_TARGET_BYTES = 8_192
_LINE_BYTES = 4  # what a header needs besides its name and value
_MOST_UNREAD_BYTES = 65_536  # of a body that no endpoint waits for
_LINGER_S = 2.0  # for a client to read why it was cut off

_NOT_HTTP = error_answer(400, "This is not a valid HTTP/1.1 request; correct it and send it again.")
_NOT_ONE_HOST = error_answer(400, "A request needs exactly one Host header; correct it and send it again.")
_TOO_SLOW = error_answer(408, "The request was not whole in time; send it again, all of it at once.")
_TARGET_TOO_LONG = error_answer(414, f"The URL is longer than {MAX_TARGET_BYTES} bytes; shorten it.")
_HEAD_TOO_LARGE = error_answer(431, f"The headers are larger than {MAX_HEAD_BYTES} bytes; send fewer or shorter ones.")


class Shared:
    """What the connections of one server share. The server's sweep keeps the readings fresh."""

    def __init__(self, read_timeout_s: float, keep_alive_timeout_s: float) -> None:
        self.read_timeout_s = read_timeout_s
        self.keep_alive_timeout_s = keep_alive_timeout_s
        self.now_s = 0.0  # monotonic, as of the last sweep
        self.date = b""  # the header, as a whole line
        self.connections: set[Connection] = set()


class Refusal(Exception):
    """The client sent what can neither be served nor skipped."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Connection(asyncio.Protocol):
    """The server's end of one connection."""

    def __init__(self, app: App, shared: Shared) -> None:
        self.deadline_s = shared.now_s + shared.read_timeout_s  # monotonic
        self._app = app
        self._shared = shared
        self._loop = asyncio.get_running_loop()
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
        self._fed_bytes = 0  # what the parser was given last
        self._quiet_bytes = 0  # what it was given since a request began or a piece of a body was found
        self._drained: asyncio.Event | None = None  # set once the client, which is behind, has read again

    @property
    def answering(self) -> asyncio.Task[None] | None:
        """The answer that is in progress."""
        return self._task if self._owes_answer() else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._shared.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.connections.discard(self)
        self._over = True
        self.resume_writing()
        self._hangup.happen()

    def eof_received(self) -> None:
        """Close: whoever sends no more is taken to have gone."""

    def pause_writing(self) -> None:
        self._drained = asyncio.Event()

    def resume_writing(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None
        if self._owes_earlier_answer() and not self._transport.is_closing():
            self.deadline_s = math.inf

    def data_received(self, data: bytes) -> None:
        while data and not self._over:
            data = self._feed(data)

    def expire(self) -> None:
        """The deadline has passed."""
        if self._over or self._transport.is_closing():
            self._transport.abort()
        elif self._receiving:
            self._refuse(_TOO_SLOW)
        else:
            self._transport.close()
            self.deadline_s = self._shared.now_s + _LINGER_S

    def stop(self) -> None:
        """Close as soon as no answer is owed."""
        if self._request is None or self._request.answered:
            self._transport.close()
        else:
            self._request.keeps_alive = False

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = {}
        self._head_bytes = 0
        self._receiving = True
        self._quiet_bytes = -self._fed_bytes
        if not self._owes_earlier_answer():
            self.deadline_s = self._shared.now_s + self._shared.read_timeout_s

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > MAX_TARGET_BYTES:
            raise Refusal(_TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer, which nobody asked for
        self._head_bytes += len(name) + len(value) + _LINE_BYTES
        if self._head_bytes > MAX_HEAD_BYTES:
            raise Refusal(_HEAD_TOO_LARGE)
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
        self.deadline_s = self._idle_deadline_s() if request.answered else self._answer_deadline_s()

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _new_request(self, method: str) -> Request:
        headers = self._headers
        version = self._parser.get_http_version()
        _check_host(headers, version)
        path, query = split_target(self._target)
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
            cause = error.__context__
            self._refuse(cause.answer if isinstance(cause, Refusal) else _NOT_HTTP)
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
        self.deadline_s = (
            self._shared.now_s + self._shared.read_timeout_s if self._receiving else self._answer_deadline_s()
        )
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
        keeps_alive = request.keeps_alive and not request.expects_continue
        request.answered = True
        if self._transport.is_closing():
            return
        with_body = request.method != "HEAD"
        self._transport.write(response(answer, self._shared.date, keeps_alive=keeps_alive, with_body=with_body))
        self.deadline_s = self._idle_deadline_s()
        if not keeps_alive:
            self._end()
        elif self._waiting:
            self._start(self._waiting.popleft())
        elif self._over:
            self._transport.close()
        elif self._receiving:
            self.deadline_s = self._shared.now_s + self._shared.read_timeout_s
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

    def _idle_deadline_s(self) -> float:
        return self._shared.now_s + self._shared.keep_alive_timeout_s

    def _answer_deadline_s(self) -> float:
        """None for the app, but one for a client that has yet to read what it was answered before."""
        return math.inf if self._drained is None else self._idle_deadline_s()

    def _owes_earlier_answer(self) -> bool:
        """Whether a request before the one that is being received waits for its answer."""
        return self._owes_answer() and (self._in_head or self._answering is not self._request)

    def _owes_answer(self) -> bool:
        return self._answering is not None and not self._answering.answered

    def _decline_upgrade(self, rest: bytes) -> bytes:
        """The same head without its offer, after which the parser would expect another protocol, and the rest."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._over = True
            return b""
        self._parser = self._new_parser()
        return head_without_upgrade(method, self._target, self._headers) + rest

    def _check_quiet_bytes(self) -> None:
        self._quiet_bytes += self._fed_bytes
        if self._quiet_bytes > MAX_HEAD_BYTES:
            raise Refusal(_HEAD_TOO_LARGE)

    def _refuse(self, answer: Answer) -> None:
        """Read no more, and say why once the requests before have their answers."""
        if self._owes_earlier_answer():
            if not self._in_head:
                self._waiting.pop()
            self._over = True
            self._pause()
            return
        request = self._request
        if self._in_head or request is None or not request.answered:
            self._transport.write(response(answer, self._shared.date, keeps_alive=False, with_body=True))
        if not self._in_head and request is not None and not request.answered:
            request.answered = True
            self._hangup.happen()  # the app, which waits for the rest of a body, need not answer
        self._end()

    def _end(self) -> None:
        """Close, but not before the client could read the answer: unread bytes would turn it into a reset."""
        self._over = True
        if self._receiving and self._transport.can_write_eof():
            self._transport.write_eof()
            self.deadline_s = self._shared.now_s + _LINGER_S
        else:
            self._transport.close()


def _check_host(headers: Headers, version: str) -> None:
    host = headers.get(b"host")
    if (host is None and version == "1.1") or (host is not None and b"," in host):
        raise Refusal(_NOT_ONE_HOST)


def head_without_upgrade(method: bytes, target: bytes, headers: Headers) -> bytes:
    """The head of the same request, offering no other protocol."""
    lines = [b"%b %b HTTP/1.1\r\n" % (method, target)]
    for name, value in headers.items():
        if name == b"connection":
            options = [option.strip() for option in value.split(b",") if option.strip().lower() != b"upgrade"]
            lines.append(b"connection: %b\r\n" % b", ".join(options))
        elif name != b"upgrade":
            lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join([*lines, b"\r\n"])
