"""One request and its response on a connection."""

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from zypher.http.answer import Header


class Exchange(RequestResponseCycle):
    """uvicorn's cycle, for an app whose responses have one body each: head and body are one write."""

    _status_line = b""
    _headers: tuple[Header, ...] = ()

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            self._status_line = STATUS_LINE[message["status"]]
            self._headers = (*self.default_headers, *message.get("headers", ()))
        elif message["type"] == "http.response.body":
            if self.flow.write_paused and not self.disconnected:
                await self.flow.drain()
            if not self.disconnected:
                self._write(message.get("body", b""))
                self.on_response()

    def _write(self, body: bytes) -> None:
        if self.waiting_for_100_continue:
            # Never told to continue, the client may leave its body out or not: no next request can be found.
            self.keep_alive = False
        self.response_started = self.response_complete = True
        self.message_event.set()
        lines = [self._status_line, *[b"%b: %b\r\n" % header for header in self._headers]]
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        if self.scope["method"] != "HEAD":
            lines.append(body)
        self.transport.write(b"".join(lines))
