"""An answer as the bytes of an HTTP/1.1 response."""

from collections.abc import Sequence
from http import HTTPStatus

from zypher.http.answer import SECURITY, Answer, Header

_LARGE_BYTES = 16_384
_SECURITY = b"".join(b"%b: %b\r\n" % header for header in SECURITY)
_BEGINNINGS = {int(each): b"HTTP/1.1 %d %b\r\n%b" % (each, each.phrase.encode(), _SECURITY) for each in HTTPStatus}


def as_bytes(answer: Answer, more: Sequence[Header], *, whole: bool) -> tuple[bytes, ...]:
    """The response with more headers, `whole` or only its head, to be written in this order.

    A large body is not copied.
    """
    lines = [_BEGINNINGS[answer.status]]
    for name, value in answer.own_head(more):
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n")
    if not whole:
        return (b"".join(lines),)
    if len(answer.body) > _LARGE_BYTES:
        return (b"".join(lines), answer.body)
    lines.append(answer.body)
    return (b"".join(lines),)
