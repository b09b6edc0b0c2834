"""What a connection sends: responses as bytes of HTTP/1.1, and those to what is not HTTP or not ours."""

from collections.abc import Sequence
from http import HTTPStatus

from zypher.http.response import SECURITY, Header, Response, error_response

MAX_HEAD_BYTES = 65_536
HEADER_BYTES = 32  # what a header counts besides its name and value, as in HTTP/2 (RFC 9113 section 6.5.2)
MAX_TARGET_BYTES = 8_192

NOT_HTTP = error_response(400, "This is not a valid HTTP/1.1 request; correct it and send it again.")
TOO_SLOW = error_response(408, "The request did not arrive in time; send it again, without pauses.")
TARGET_TOO_LONG = error_response(414, f"The URL is longer than {MAX_TARGET_BYTES} bytes; shorten it.")
HEAD_TOO_LARGE = error_response(
    431,
    f"The headers are larger than {MAX_HEAD_BYTES} bytes, {HEADER_BYTES} added for each; send fewer or shorter ones.",
)
NOT_OUR_VERSION = error_response(505, "HTTP/1.1 and HTTP/1.0 are served, and no other version; use one of them.")

_LARGE_BYTES = 16_384
_SECURITY = b"".join(b"%b: %b\r\n" % header for header in SECURITY)
_BEGINNINGS = {int(each): b"HTTP/1.1 %d %b\r\n%b" % (each, each.phrase.encode(), _SECURITY) for each in HTTPStatus}


class ProtocolError(Exception):
    """The client sent what can neither be served nor skipped."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


def as_bytes(response: Response, more: Sequence[Header], *, whole: bool) -> tuple[bytes, ...]:
    """The response with more headers, `whole` or only its head, to be written in this order.

    A large body is not copied.
    """
    lines = [_BEGINNINGS[response.status]]
    for name, value in response.own_head(more):
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n")
    if not whole:
        return (b"".join(lines),)
    if len(response.body) > _LARGE_BYTES:
        return (b"".join(lines), response.body)
    lines.append(response.body)
    return (b"".join(lines),)
