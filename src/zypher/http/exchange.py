"""One request and its response on a connection."""

from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle


class Exchange(RequestResponseCycle):
    """uvicorn's cycle, for an app whose responses have one body each: head and body are one write."""

    _start: HTTPResponseStartEvent | None = None  # held back until its body comes

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            if self.flow.write_paused and not self.disconnected:
                await self.flow.drain()
            if not self.disconnected:
                self._write(self._start, message.get("body", b""))
                self.on_response()

    def _write(self, start: HTTPResponseStartEvent, body: bytes) -> None:
        if self.waiting_for_100_continue:
            # Never told to continue, the client may leave its body out or not: no next request can be found.
            self.keep_alive = False
        self.response_started = self.response_complete = True
        lines = [STATUS_LINE[start["status"]]]
        lines += [b"%b: %b\r\n" % header for header in self.default_headers]
        lines += [b"%b: %b\r\n" % header for header in start.get("headers", ())]
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        if self.scope["method"] != "HEAD":
            lines.append(body)
        self.transport.write(b"".join(lines))
