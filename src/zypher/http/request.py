"""A request, as an ASGI server hands it over."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from zypher.access.budget import Budget
from zypher.disconnect import AsgiDisconnect, ClientDisconnected, Disconnect
from zypher.http.response import Header, Response

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]  # names in lower case; a repeated one is a list with commas (RFC 9110 section 5.3)

CONNECTION = "zypher.connection"  # the ASGI extension that only our own server offers

_ONCE = frozenset({b"host", b"authorization", b"x-api-key", b"idempotency-key", b"content-type", b"content-encoding"})


class Connection(Protocol):
    """A connection of our own server, which enforces deadlines and counts unread responses."""

    disconnect: Disconnect

    def whole_body(self) -> bytes | None:
        """The body of the request in hand, if all of it is here and nothing was received before."""
        ...

    async def respond(self, response: Response, more: Sequence[Header]) -> None:
        """Send a whole response, with more headers."""
        ...

    def drop(self) -> None:
        """Close it without a response."""
        ...


class Request:
    """One request; its body is read once, piece by piece."""

    __slots__ = (
        "_held_bytes",
        "_receive",
        "budget",
        "connection",
        "disconnect",
        "headers",
        "http_version",
        "method",
        "more_body",
        "path",
        "query",
        "repeated",
        "route",
    )

    def __init__(self, scope: Scope, receive: Receive, budget: Budget) -> None:
        self.method: str = scope["method"]
        self.http_version: str = scope["http_version"]
        self.path = _path(scope)
        self.query: bytes = scope["query_string"]
        self.headers, self.repeated = _headers(scope["headers"])
        self.connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)  # None: of another server
        self.disconnect = AsgiDisconnect(receive) if self.connection is None else self.connection.disconnect
        self.more_body = True  # whether some of the body is yet to be received
        self.route = "other"  # the path of its route, once found
        self.budget = budget
        self._held_bytes = 0  # what its body takes of the budget
        self._receive = receive

    def whole_body(self) -> bytes | None:
        """The body, if all of it is here; only before its first piece."""
        return None if self.connection is None else self.connection.whole_body()

    async def chunk(self) -> bytes:
        """The next piece of the body. Raises `ClientDisconnected`."""
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientDisconnected
        self.more_body = message.get("more_body", False)
        return message.get("body", b"")

    def hold(self, more_bytes: int) -> int:
        """Count more of the body; returns how much of it is held. Raises `TooMuchInFlight`."""
        self.budget.check(more_bytes)
        self.budget.take(more_bytes)
        self._held_bytes += more_bytes
        return self._held_bytes

    def release(self) -> None:
        """Its body is held no longer. May happen twice."""
        if self._held_bytes:
            self.budget.give_back(self._held_bytes)
            self._held_bytes = 0


Endpoint = Callable[[Request], Awaitable[Response]]


def _path(scope: Scope) -> str:
    """The path below the prefix at which the application is mounted."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    return path[len(prefix) :] if prefix and f"{path}/".startswith(f"{prefix}/") else path


def _headers(pairs: Sequence[tuple[bytes, bytes]]) -> tuple[Headers, bytes]:
    """The headers, and the name of one that must not be repeated and is, if any."""
    headers = dict(pairs)
    if len(headers) == len(pairs):
        return headers, b""
    headers = dict[bytes, bytes]()
    repeated = b""
    for name, value in pairs:
        earlier = headers.get(name)
        if earlier is not None and name in _ONCE:
            repeated = name
        headers[name] = value if earlier is None else b"%b, %b" % (earlier, value)
    return headers, repeated
