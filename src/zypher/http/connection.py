"""One connection: what uvicorn leaves open of HTTP/1.1, and its hot path made short.

    deadlines   a request must be whole in time; a connection that is idle, or whose client does not read, ends in time
    limits      on the bytes of a head and of a target
    refusals    what is not HTTP gets a JSON answer, after those to the requests before it
    upgrades    an offer to upgrade is declined: the request is served as plain HTTP/1.1

Nothing here costs a timer or a watching task per request.
"""

import asyncio
import math
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from zypher.http.answer import Answer, Header, error_answer
from zypher.http.exchange import Exchange
from zypher.http.hangup import Hangup

MAX_HEAD_BYTES = 65_536
MAX_TARGET_BYTES = 8_192
_LINGER_S = 2.0  # for a client to read why it was cut off

_NOT_HTTP = error_answer(400, "This is not a valid HTTP/1.1 request; correct it and send it again.")
_NOT_ONE_HOST = error_answer(400, "A request needs exactly one Host header; correct it and send it again.")
_TOO_SLOW = error_answer(408, "The request was not whole in time; send it again, all of it at once.")
_TARGET_TOO_LONG = error_answer(414, f"The URL is longer than {MAX_TARGET_BYTES} bytes; shorten it.")
_HEAD_TOO_LARGE = error_answer(431, f"The headers are larger than {MAX_HEAD_BYTES} bytes; send fewer or shorter ones.")


class Shared(ServerState):
    """What the connections of one server share. The server's sweep keeps the readings fresh."""

    def __init__(self, read_timeout_s: float, keep_alive_timeout_s: float) -> None:
        super().__init__()
        self.read_timeout_s = read_timeout_s
        self.keep_alive_timeout_s = keep_alive_timeout_s
        self.now_s = 0.0  # monotonic, as of the last sweep


class Refusal(Exception):
    """The client sent what can neither be served nor skipped."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Connection(HttpToolsProtocol):
    """Reads requests from one client and hands them to the app, one at a time and in their order."""

    def __init__(self, config: Config, app: ASGI3Application, shared: Shared) -> None:
        self.hangup = Hangup()
        super().__init__(config, shared, {"hangup": self.hangup}, asyncio.get_running_loop())
        self._app = app
        self.deadline_s = shared.now_s + shared.read_timeout_s  # monotonic
        self._shared = shared
        self._target = b""
        self._answering: RequestResponseCycle | None = None  # the one that the app has, or had last
        self._receiving = True  # a request has begun and not ended, or the first is awaited
        self._in_head = True  # its head is not whole, or it has not begun
        self._over = False  # nothing more is read
        self._fed_bytes = 0  # what the parser was given last
        self._quiet_bytes = 0  # what it was given since a request began or a piece of a body was found

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        self.hangup.happen()

    def data_received(self, data: bytes) -> None:
        while data and not self._over:
            data = self._feed(data)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._owes_earlier_answer() and not self.transport.is_closing():
            self.deadline_s = math.inf

    def _feed(self, data: bytes) -> bytes:
        """Hand bytes to the parser; returns those that are to be read again."""
        self._fed_bytes = len(data)
        try:
            self.parser.feed_data(data)
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

    def expire(self) -> None:
        """The deadline has passed."""
        if self._over or self.transport.is_closing():
            self.transport.abort()
        elif self._receiving:
            self._refuse(_TOO_SLOW)
        else:
            self.transport.close()
            self.deadline_s = self._shared.now_s + _LINGER_S

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._target = b""
        self._receiving = True
        self._quiet_bytes = -self._fed_bytes
        if not self._owes_earlier_answer():
            self.deadline_s = self._shared.now_s + self._shared.read_timeout_s

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > MAX_TARGET_BYTES:
            raise Refusal(_TARGET_TOO_LONG)

    def on_headers_complete(self) -> None:
        scope = self.scope
        scope["method"] = method = self.parser.get_method().decode()
        if self._fed_bytes > MAX_HEAD_BYTES or self._quiet_bytes >= 0:
            self._check_head_bytes()
        if self.parser.should_upgrade() and method != "CONNECT":
            return  # comes again without its offer
        self._check_host()
        scope["path"], scope["query_string"] = split_target(self._target)
        scope["headers"] = self.headers.copy()  # trailers, which nobody asked for, are added to the original
        self._in_head = False
        self._quiet_bytes = -self._fed_bytes
        self.cycle = exchange = self._exchange(self.parser.get_http_version())
        if self._answering is None or self._answering.response_complete:
            self._start(exchange)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self._app))

    def _exchange(self, http_version: str) -> Exchange:
        return Exchange(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self._shared.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and http_version == "1.1",
            keep_alive=http_version == "1.1" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )

    def on_body(self, body: bytes) -> None:
        self._quiet_bytes = -self._fed_bytes
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self._in_head:
            return  # comes again without its offer to upgrade
        self._receiving = False
        self._in_head = True
        cycle = self.cycle
        cycle.more_body = False
        cycle.message_event.set()
        self.deadline_s = self._idle_deadline_s() if cycle.response_complete else self._answer_deadline_s()

    def on_response_complete(self) -> None:
        if self.transport.is_closing() or self._answering is None:
            return
        self.flow.resume_reading()
        self.deadline_s = self._idle_deadline_s()
        if not self._answering.keep_alive:
            self._end()
        elif self.pipeline:
            self._start(self.pipeline.pop()[0])
        elif self._over:
            self.transport.close()
        elif self._receiving:
            self.deadline_s = self._shared.now_s + self._shared.read_timeout_s

    def _start(self, exchange: RequestResponseCycle) -> None:
        self._answering = exchange
        self.deadline_s = (
            self._shared.now_s + self._shared.read_timeout_s if self._receiving else self._answer_deadline_s()
        )
        self.tasks.add(self.loop.create_task(self._answer(exchange)))

    async def _answer(self, exchange: RequestResponseCycle) -> None:
        """Let the app answer. If it does not, the connection ends."""
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception:
            self.logger.exception("the app failed to answer")
        finally:
            if not exchange.response_complete:
                self.transport.abort()
            if task := asyncio.current_task():
                self.tasks.discard(task)

    def _idle_deadline_s(self) -> float:
        return self._shared.now_s + self._shared.keep_alive_timeout_s

    def _answer_deadline_s(self) -> float:
        """None for the app, but one for a client that has yet to read what it was answered before."""
        return self._idle_deadline_s() if self.flow.write_paused else math.inf

    def _owes_earlier_answer(self) -> bool:
        """Whether a request before the one that is being received waits for its answer."""
        answering = self._answering
        if answering is None or answering.response_complete:
            return False
        return self._in_head or answering is not self.cycle

    def _decline_upgrade(self, rest: bytes) -> bytes:
        """The same head without its offer, after which the parser would expect another protocol, and the rest."""
        if self.scope["method"] == "CONNECT":
            self._over = True
            return b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return head_without_upgrade(self.scope["method"], self._target, self.headers) + rest

    def _check_quiet_bytes(self) -> None:
        self._quiet_bytes += self._fed_bytes
        if self._quiet_bytes > MAX_HEAD_BYTES:
            raise Refusal(_HEAD_TOO_LARGE)

    def _check_host(self) -> None:
        hosts = [name for name, _ in self.headers].count(b"host")
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise Refusal(_NOT_ONE_HOST)

    def _check_head_bytes(self) -> None:
        if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            raise Refusal(_HEAD_TOO_LARGE)

    def _refuse(self, answer: Answer) -> None:
        """Read no more, and say why once the requests before have their answers."""
        if self._owes_earlier_answer():
            if not self._in_head:
                self.pipeline.popleft()
            self._over = True
            self.transport.pause_reading()
            return
        if self._in_head or not self.cycle.response_started:
            self._write(answer)
        self._end()

    def _write(self, answer: Answer) -> None:
        if not self._in_head:
            self.cycle.disconnected = True  # the app, which waits for the rest of a body, need not answer
            self.cycle.message_event.set()
        length = (b"content-length", b"%d" % len(answer.body))
        headers: list[Header] = [*self._shared.default_headers, answer.content_type, length, (b"connection", b"close")]
        lines = [STATUS_LINE[answer.status], *[b"%b: %b\r\n" % header for header in headers], b"\r\n", answer.body]
        self.transport.write(b"".join(lines))

    def _end(self) -> None:
        """Close, but not before the client could read the answer: unread bytes would turn it into a reset."""
        self._over = True
        if self._receiving and self.transport.can_write_eof():
            self.transport.write_eof()
            self.deadline_s = self._shared.now_s + _LINGER_S
        else:
            self.transport.close()


def split_target(target: bytes) -> tuple[str, bytes]:
    """The path, unquoted, and the query of a request's target, whatever its form."""
    if not target.startswith(b"/") and target != b"*":
        target = _origin_form(target)
    path, _, query = target.partition(b"#")[0].partition(b"?")
    text = path.decode("ascii")
    return unquote(text) if "%" in text else text, query


def _origin_form(target: bytes) -> bytes:
    url = httptools.parse_url(target)
    path: bytes | None = url.path
    query: bytes | None = url.query
    return (path or b"/") + b"?" + (query or b"")


def head_without_upgrade(method: str, target: bytes, headers: list[Header]) -> bytes:
    """The head of the same request, offering no other protocol."""
    lines = [b"%b %b HTTP/1.1\r\n" % (method.encode(), target)]
    for name, value in headers:
        if name == b"connection":
            options = [option.strip() for option in value.split(b",") if option.strip().lower() != b"upgrade"]
            lines.append(b"connection: %b\r\n" % b", ".join(options))
        elif name != b"upgrade":
            lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join([*lines, b"\r\n"])
