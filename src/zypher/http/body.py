"""The body of a POST: its bytes, within a limit, as the JSON of one input."""

import msgspec

from zypher.http.problems import Problem
from zypher.http.request import Headers, Request

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CHARSETS = {b"utf-8", b"utf8", b"us-ascii"}
_CODINGS = frozenset({b"content-encoding", b"transfer-encoding"})
_SHAPE = "send an object with exactly one field, $.input"


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends around its input."""

    input: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope)


async def read_input(request: Request, max_body_bytes: int) -> bytes:
    """The JSON of the input in a request. Raises `Problem`, before it reads where the headers tell enough."""
    headers = request.headers
    _check_type(headers)
    if not _CODINGS.isdisjoint(headers):
        _check_codings(headers)
    if int(headers.get(b"content-length", b"0")) > max_body_bytes:
        raise _too_large(max_body_bytes)
    body = await request.body(max_body_bytes)
    if body is None:
        raise _too_large(max_body_bytes)
    return parse_input(body)


def parse_input(body: bytes) -> bytes:
    """The JSON of the input in `{"input": …}`, byte for byte. Raises `Problem`."""
    try:
        if not body.isascii():
            _check_text(body)
        return bytes(_envelope.decode(body).input)
    except msgspec.ValidationError as error:
        raise Problem(422, f"{error}; {_SHAPE}.") from None
    except msgspec.DecodeError as error:
        reason = f"not valid JSON ({error})" if body.strip() else "empty"
        raise Problem(400, f"The body is {reason}; {_SHAPE}.") from None
    except RecursionError:
        raise Problem(422, "The body is nested too deeply; send a flatter one.") from None


def _check_text(body: bytes) -> None:
    # The decoder passes the input over without reading its text.
    if body.startswith(_BYTE_ORDER_MARKS):
        raise Problem(422, "The body begins with a byte order mark; send UTF-8 without one.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Problem(422, f"The body is not UTF-8 (at byte {error.start}); encode it as UTF-8.") from None


def _check_type(headers: Headers) -> None:
    content_type = headers.get(b"content-type", b"")
    if content_type != b"application/json" and not is_json(content_type):
        raise Problem(415, "The body must be JSON in UTF-8; add the header Content-Type: application/json.")


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type names JSON, in UTF-8."""
    essence, *parameters = content_type.lower().split(b";")
    kind, _, subtype = essence.strip().partition(b"/")
    if subtype != b"json" and not subtype.endswith(b"+json"):
        return False
    charsets = [value for name, _, value in (part.partition(b"=") for part in parameters) if name.strip() == b"charset"]
    return kind == b"application" and all(charset.strip(b' "') in _CHARSETS for charset in charsets)


def _check_codings(headers: Headers) -> None:
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        raise Problem(415, "The body must not be compressed; send it without Content-Encoding.")
    if headers.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
        raise Problem(400, "Transfer-Encoding must be chunked and nothing else; send the body as it is.")
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise Problem(400, "Content-Length and Transfer-Encoding exclude each other; send one of them.")


def _too_large(max_body_bytes: int) -> Problem:
    return Problem(
        413, f"The body is larger than {max_body_bytes} bytes, the setting max_body_bytes; send a smaller one."
    )
