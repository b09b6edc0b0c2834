"""The response to a request, and the headers of every one."""

from collections.abc import Sequence

import msgspec

from zypher.text import shortened

Header = tuple[bytes, bytes]

NO_STORE: Header = (b"cache-control", b"no-store")
CLOSE: Header = (b"connection", b"close")

SECURITY: tuple[Header, ...] = (  # of every response: not shown in frames, media type not guessed
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
)
_JSON = (b"content-type", b"application/json")
_NO_BODY = frozenset({204, 304})


class Response(msgspec.Struct, frozen=True):
    """A whole response; `content-length` is added when it is sent."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()  # names in lower case
    content_type: Header = _JSON

    def head(self, more: Sequence[Header] = ()) -> list[Header]:
        """Every header, with more of them."""
        return [*SECURITY, *self.own_head(more)]

    def own_head(self, more: Sequence[Header] = ()) -> list[Header]:
        """The same without those of every answer."""
        if self.status in _NO_BODY:
            return [*self.headers, *more]
        return [*self.headers, *more, self.content_type, (b"content-length", b"%d" % len(self.body))]


def error_response(status: int, sentence: str, *headers: Header) -> Response:
    """An error response: one sentence that says what to do."""
    return Response(status, error_body(sentence), headers)


def error_body(sentence: str, **more: str) -> bytes:
    """`{"error": …}`, written as the contract writes it."""
    members = ", ".join(f"{_string(name)}: {_string(value)}" for name, value in {"error": sentence, **more}.items())
    return f"{{{members}}}".encode()


def _string(text: str) -> str:
    return msgspec.json.encode(shortened(text)).decode()
