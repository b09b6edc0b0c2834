"""What a client asks: the head of a request, and its body as it comes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from zypher.http.answer import Answer
from zypher.http.hangup import Hangup

Headers = Mapping[bytes, bytes]  # names in lower case; a repeated one is a list with commas (RFC 9110 section 5.3)


class Request:
    """One request. Its connection feeds it, an endpoint reads it."""

    __slots__ = (
        "_body",
        "_news",
        "_wanted",
        "answered",
        "expects_continue",
        "hangup",
        "headers",
        "keeps_alive",
        "method",
        "path",
        "query",
        "whole",
    )

    def __init__(
        self, method: str, path: str, query: bytes, headers: Headers, hangup: Hangup, wanted: Callable[[], None]
    ) -> None:
        """`wanted` is called when an endpoint waits for more of the body."""
        self.method = method
        self.path = path  # unquoted
        self.query = query
        self.headers = headers
        self.hangup = hangup
        self.expects_continue = False  # whether the client holds its body back until it is told to send it
        self.keeps_alive = True  # whether another request may follow on its connection
        self.whole = False  # whether all of the body is here
        self.answered = False
        self._wanted = wanted
        self._body: bytes | bytearray = b""  # as much as has come and was not taken
        self._news: asyncio.Future[None] | None = None  # for whom waits for more of the body

    @property
    def unread_bytes(self) -> int:
        """How much of the body is here that nobody waits for."""
        return len(self._body) if self._news is None else 0

    def feed(self, piece: bytes) -> None:
        """A piece of the body has come."""
        if isinstance(self._body, bytearray):
            self._body += piece
        else:
            self._body = bytearray(self._body + piece) if self._body else piece
        self._tell()

    def end(self) -> None:
        """The body is whole."""
        self.whole = True
        self._tell()

    def finish(self) -> None:
        """It is answered: nobody reads its body any more."""
        self.answered = True
        self._body = b""

    async def body(self, longest_bytes: int) -> bytes | None:
        """The whole body, once; None as soon as it turns out to be longer than that. Raises `HungUp`."""
        while not self.whole and len(self._body) <= longest_bytes:
            await self.hangup.interrupts(self._more())
        body, self._body = self._body, b""
        return bytes(body) if len(body) <= longest_bytes else None

    async def _more(self) -> None:
        self._news = asyncio.get_running_loop().create_future()
        self._wanted()
        try:
            await self._news
        finally:
            self._news = None

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


Endpoint = Callable[[Request], Awaitable[Answer]]
App = Callable[[Request], Awaitable[Answer | None]]  # None: the client has gone
