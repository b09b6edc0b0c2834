"""An answer as the bytes of HTTP/1.1."""

from http import HTTPStatus

from zypher.http.answer import Answer

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_STATUS_LINES = {status.value: f"HTTP/1.1 {status} {status.phrase}\r\n".encode() for status in HTTPStatus}


def response(answer: Answer, date: bytes, *, keeps_alive: bool, with_body: bool) -> bytes:
    """The head and, unless it answers a HEAD, the body. `date` is a whole line."""
    name, value = answer.content_type
    pieces = [
        _STATUS_LINES[answer.status],
        date,
        b"%b: %b\r\ncontent-length: %d\r\n" % (name, value, len(answer.body)),
        *[b"%b: %b\r\n" % header for header in answer.headers],
        b"\r\n" if keeps_alive else b"connection: close\r\n\r\n",
    ]
    if with_body:
        pieces.append(answer.body)
    return b"".join(pieces)
