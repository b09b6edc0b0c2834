"""One connection: uvicorn's protocol, and what it lacks.

    deadlines   a head must be whole in time, and so must a body; one sweep a second looks after all connections
    limits      on the bytes of a head and of a target
    errors      what is not HTTP gets a JSON response, after those to the requests before it
    disconnect  a handler that waits for a model is interrupted, without a task or a timer for it
    half-close  a client that closed its sending half gets its response; from a model, within a second
    upgrades    an offer to upgrade is declined: the request is served as plain HTTP/1.1
    readers     a response that is not read counts in the server's budget

Subclasses uvicorn 0.54's HttpToolsProtocol; `tests/unit/connections/test_uvicorn.py` tests each name used of it.
"""

import asyncio
import math
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from zypher.connections.responses import (
    HEAD_TOO_LARGE,
    HEADER_BYTES,
    MAX_HEAD_BYTES,
    MAX_TARGET_BYTES,
    NOT_HTTP,
    NOT_OUR_VERSION,
    TARGET_TOO_LONG,
    TOO_SLOW,
    ProtocolError,
    as_bytes,
)
from zypher.connections.sweep import Sweep
from zypher.disconnect import Disconnect
from zypher.http.request import CONNECTION
from zypher.http.response import CLOSE, Header, Response

_HALFCLOSED_S = 1.0  # for a prediction to end after its client closed its sending half
_VERSIONS = ("1.1", "1.0")
_SMALL_HEAD_BYTES = MAX_HEAD_BYTES // HEADER_BYTES  # less cannot be too large, into however many headers it is cut


class Connection(HttpToolsProtocol):
    """The server's end of one connection."""

    def __init__(self, config: Config, state: ServerState, sweep: Sweep) -> None:
        super().__init__(config, state, {}, asyncio.get_running_loop())
        self.disconnect = Disconnect()
        self.deadline_s = sweep.read_deadline_s  # monotonic
        self.response_bytes = 0  # of the response that was sent last
        self._application = cast("ASGI3Application", config.loaded_app)  # pyright: ignore[reportUnknownMemberType]  # uvicorn types it by what it may be wrapped in
        self._sweep = sweep
        self._extensions = {CONNECTION: self}
        self._current: RequestResponseCycle | None = None  # the request that the application has, or had last
        self._receiving = True  # a request has begun and not ended, or the first is awaited
        self._in_head = True  # its head is not whole, or it has not begun
        self._reads_no_more = False  # nothing more is read
        self._rejection: Response | None = None  # to what came after the pending requests
        self._fed_bytes = 0  # what the parser was given last
        self._bytes_without_progress = 0  # what it was given since a request began or a piece of a body was found

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # type: ignore[override]  # uvicorn narrows it
        super().connection_made(cast(asyncio.Transport, transport))
        self._sweep.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._current is not None:
            self._current.disconnected = True
        super().connection_lost(exc)
        self._reads_no_more = True
        self.disconnect.set()
        self._sweep.unread.remove(self)
        self._sweep.leave(self)
        # They refer to the connection: without this, it lives until the next garbage collection.
        self._extensions.clear()
        self.cycle = self._current = None  # type: ignore[assignment]  # uvicorn's own begins as None, too
        self.pipeline.clear()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's closes in any case
        """Whether to go on: for the responses to earlier requests; over TLS never."""
        if self._receiving and not self._in_head:
            self._abandon_newest()
        if self._idle or self.scheme == "https":
            return False
        self.cycle.keep_alive = False
        self._reads_no_more = True
        self.loop.call_later(_HALFCLOSED_S, self.disconnect.set)
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._sweep.unread.add(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._sweep.unread.remove(self)
        if self._idle:
            self.deadline_s = self._sweep.idle_deadline_s

    def data_received(self, data: bytes) -> None:
        while data and not self._reads_no_more:
            data = self._feed(data)

    # The parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # the key of an extension is free
        self._receiving = self._in_head = True
        self._bytes_without_progress = -self._fed_bytes
        if not self._has_pending_response():
            self.deadline_s = self._sweep.read_deadline_s

    def on_headers_complete(self) -> None:
        """Hand the request on. In place of uvicorn's, which has neither limits nor absolute targets."""
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        if version not in _VERSIONS:
            raise ProtocolError(NOT_OUR_VERSION)
        self._check_head()
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            return  # parsed again without its offer
        scope["method"] = method.decode("ascii")
        scope["http_version"] = version
        target, _, scope["query_string"] = _origin_form(self.url).partition(b"?")
        scope["raw_path"] = target
        path = target.decode("ascii")
        scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        self.headers = []  # trailers are dropped
        self._in_head = False
        self._bytes_without_progress = -self._fed_bytes
        idle = self._idle
        self.cycle = RequestResponseCycle(
            scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            False,
            self.server_state.default_headers,
            asyncio.Event(),
            # HTTP/1.0 has no interim responses (RFC 9110 section 10.1.1).
            self.expect_100_continue and version == "1.1",
            version == "1.1" and parser.should_keep_alive(),
            self.on_response_complete,
        )
        if idle:
            self._start_asgi_task(self.cycle, self._application)
            self.deadline_s = self._sweep.read_deadline_s
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self._application))

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; one that finds none before it is not copied."""
        cycle = self.cycle
        self._bytes_without_progress = -self._fed_bytes
        cycle.waiting_for_100_continue = False  # the client did not wait
        held = cast("bytes | bytearray", cycle.body)
        if held or cycle.response_complete:
            if isinstance(held, bytes):
                cycle.body = bytearray(held)  # many small pieces are to be added in time that grows with their sum
            super().on_body(body)
            return
        cycle.body = cast("bytearray", body)
        if len(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self._in_head:
            return  # parsed again without its offer to upgrade
        super().on_message_complete()
        self._receiving = False
        self._in_head = True
        if self.cycle.keep_alive and not self.parser.should_keep_alive():
            # After a trailer Connection: close the parser finds no further request.
            self._reads_no_more = True
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.transport.close()
        self.deadline_s = self._sweep.idle_deadline_s if self.cycle.response_complete else math.inf

    # Requests and responses

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Start the application. In place of uvicorn's, which guards against one that raises: ours never does."""
        self._current = cycle
        task = self.loop.create_task(app(cycle.scope, cycle.receive, cycle.send))
        task.add_done_callback(self._ended)
        self.tasks.add(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.logger.error("unexpected error in a request", exc_info=error)
            self.transport.abort()

    def whole_body(self) -> bytes | None:
        """The body of the request that the application has, if all of it is here and nothing was received before."""
        cycle = self._current
        if cycle is None or cycle.more_body or cycle.disconnected:
            return None
        self.flow.resume_reading()  # to notice a client that goes
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    async def respond(self, response: Response, more: Sequence[Header]) -> None:
        """Send a whole response, with more headers, in one write."""
        if self.flow.write_paused:
            await self.flow.drain()
        cycle = self._current
        if cycle is None or cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        # Without 100 Continue the client may send its body or not: the next request could not be found.
        never_continued = cycle.waiting_for_100_continue and cycle.more_body
        if CLOSE in response.headers:
            cycle.keep_alive = False
        elif never_continued or not cycle.keep_alive or (self._sweep.last_responses and not self.pipeline):
            cycle.keep_alive = False
            more = (*more, CLOSE)
        self.response_bytes = len(response.body)
        for part in as_bytes(response, (*more, self._sweep.date), whole=cycle.scope["method"] != "HEAD"):
            self.transport.write(part)
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request. In place of uvicorn's, which has a timer for each rest between two."""
        self.deadline_s = math.inf if self.flow.write_paused else self._sweep.idle_deadline_s
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            self.deadline_s = math.inf if self._has_pending_response() else self._sweep.read_deadline_s
        elif self._rejection is not None:
            self._end_with(self._rejection)
        elif self._receiving:
            self.deadline_s = self._sweep.read_deadline_s
        if not self.pipeline and not self._reads_no_more:
            self.flow.resume_reading()

    def expire(self) -> None:
        """The deadline has passed."""
        if self._reads_no_more or self.transport.is_closing():
            self.transport.abort()
        elif self._receiving:
            self._reject(TOO_SLOW)
        else:
            self.transport.close()
            self.deadline_s = self._sweep.linger_deadline_s

    def shutdown(self) -> None:
        """Close once the request that the application has is answered."""
        if self._current is None or self._current.response_complete:
            self.transport.close()
            return
        self._reads_no_more = True
        self._current.keep_alive = False
        self.pipeline.clear()

    def drop(self) -> None:
        """Close without a response."""
        if self._current is not None:
            self._current.disconnected = True
        self.transport.abort()

    @property
    def _idle(self) -> bool:
        return self._current is None or (self._current.response_complete and not self.pipeline)

    def _has_pending_response(self) -> bool:
        """Whether the application has a request that is all here: what is being received is a later one."""
        current = self._current
        return current is not None and not current.more_body and not current.response_complete

    def _abandon_newest(self) -> None:
        """Disconnect the newest request from its client."""
        self.cycle.disconnected = True
        self.cycle.waiting_for_100_continue = False  # nothing more is written than the rejection
        self.cycle.message_event.set()

    # What is not HTTP, or not ours

    def _feed(self, data: bytes) -> bytes:
        """Hand bytes to the parser; returns those that are to be read again."""
        self._fed_bytes = len(data)
        try:
            self.parser.feed_data(data)
            if self._receiving:
                self._check_progress()
        except httptools.HttpParserUpgrade as offer:
            return self._decline_upgrade(data[int(offer.args[0]) :])
        except httptools.HttpParserError as error:
            cause = error.__context__  # what a callback raised
            if not isinstance(cause, ProtocolError | httptools.HttpParserError | ValueError | None):
                raise
            self._reject(cause.response if isinstance(cause, ProtocolError) else NOT_HTTP)
        except ProtocolError as rejection:
            self._reject(rejection.response)
        return b""

    def _check_progress(self) -> None:
        self._bytes_without_progress += self._fed_bytes
        if self._bytes_without_progress > MAX_HEAD_BYTES:
            raise ProtocolError(TARGET_TOO_LONG if len(self.url) > MAX_TARGET_BYTES else HEAD_TOO_LARGE)

    def _check_head(self) -> None:
        if len(self.url) > MAX_TARGET_BYTES:
            raise ProtocolError(TARGET_TOO_LONG)
        if self._bytes_without_progress < 0 and self._fed_bytes <= _SMALL_HEAD_BYTES:
            return  # it began with what was read last
        if sum(len(name) + len(value) + HEADER_BYTES for name, value in self.headers) > MAX_HEAD_BYTES:
            raise ProtocolError(HEAD_TOO_LARGE)

    def _decline_upgrade(self, rest: bytes) -> bytes:
        """The same head without its offer, after which the parser would expect another protocol, and the rest."""
        parser = self.parser
        if parser.get_method() == b"CONNECT":
            self.cycle.keep_alive = False
            self._reads_no_more = True
            return b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        head = [b"%b %b HTTP/%b" % (parser.get_method(), self.url, parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                value = b", ".join(option for option in options if option.lower() != b"upgrade")  # noqa: PLW2901  # the rest of it stays
            if name != b"upgrade":
                head.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*head, b"", rest])

    def _reject(self, rejection: Response) -> None:
        """Read no more; send the response after those to the requests before."""
        if self._has_pending_response():
            if not self._in_head:
                self.pipeline.popleft()
            self._reads_no_more = True
            self._rejection = rejection
        elif self._in_head:
            self._end_with(rejection)
        elif self.cycle.response_complete:
            self._end()
        else:
            self._abandon_newest()
            self._end_with(rejection)

    def _end_with(self, rejection: Response) -> None:
        for part in as_bytes(rejection, (self._sweep.date, CLOSE), whole=True):
            self.transport.write(part)
        self._end()

    def _end(self) -> None:
        """Close, but not before the client could read the response: unread bytes would turn it into a reset."""
        self._reads_no_more = True
        if self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
            self.deadline_s = self._sweep.linger_deadline_s
        else:
            self.transport.close()


def _origin_form(target: bytes) -> bytes:
    """A target as the path and query that it asks for (RFC 9112 section 3.2). Raises `ValueError`."""
    if target.startswith(b"/") or target == b"*":
        return target.decode("ascii").encode()
    url = httptools.parse_url(target)
    return (url.path or b"/") + (b"?" + url.query if b"?" in target else b"")
