"""What goes back to a client."""

from collections.abc import Sequence

import msgspec

from zypher.telemetry.printable import encodable

Header = tuple[bytes, bytes]

NO_STORE: Header = (b"cache-control", b"no-store")
CLOSE: Header = (b"connection", b"close")

SECURITY: tuple[Header, ...] = (  # of every answer: no page may show it in a frame, no browser may guess its type
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
)
_LONGEST = 2_000  # characters of a sentence, which may quote a client or a model
_JSON = (b"content-type", b"application/json")
_NO_BODY = frozenset({204, 304})


class Answer(msgspec.Struct, frozen=True):
    """A whole response; its length is said when it is sent."""

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


def error_answer(status: int, sentence: str, *headers: Header) -> Answer:
    """The answer to a request that is not served: one sentence that says what to do."""
    return Answer(status, error_body(sentence), headers)


def error_body(sentence: str, **more: str) -> bytes:
    """`{"error": …}`, written as the contract writes it."""
    members = ", ".join(f"{_string(name)}: {_string(value)}" for name, value in {"error": sentence, **more}.items())
    return f"{{{members}}}".encode()


def _string(text: str) -> str:
    # Half a surrogate pair cannot be said in UTF-8, and a client's own words may contain one.
    return msgspec.json.encode(encodable(text[:_LONGEST])).decode()
