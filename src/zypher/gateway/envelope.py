"""The body of a request for a prediction: the JSON of one input in its envelope."""

import re

import msgspec

from zypher.errors import InvalidInput, MalformedBody

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_EXPECTED = "send an object with exactly one field, $.input"

_USUAL = b'{"input": '  # the usual form: followed by the value and a brace, there is no other field
_USUAL_BYTES = len(_USUAL)

# All of an envelope around its only value.
_BEFORE = re.compile(rb'[ \t\n\r]*\{[ \t\n\r]*"(?:input|(?:[^"\\]|\\.)*)"[ \t\n\r]*:[ \t\n\r]*')
_AFTER = re.compile(rb"[ \t\n\r]*\}[ \t\n\r]*")

_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]", re.DOTALL
)


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends around its input."""

    input: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope)


def input_in(body: bytes) -> slice:
    """Where in `{"input": …}` the JSON of the input is. Raises `RequestError`."""
    try:
        if not body.isascii():
            _check_text(body)
        length = len(memoryview(_envelope.decode(body).input))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{error}; {_EXPECTED}.") from None
    except msgspec.DecodeError as error:
        raise _malformed(body, error) from None
    except RecursionError:
        raise InvalidInput("The body is nested too deeply; send a flatter one.") from None
    usual_end = _USUAL_BYTES + length
    if len(body) == usual_end + 1 and body.startswith(_USUAL):
        return slice(_USUAL_BYTES, usual_end)
    before = _BEFORE.match(body)
    assert before is not None, "an object with a field begins so"
    end = before.end() + length
    if not _AFTER.fullmatch(body, end):
        # The decoder takes the last of several; a proxy or a check before this server may have taken the first.
        raise MalformedBody(f"The body has the field `input` more than once; {_EXPECTED}.")
    return slice(before.end(), end)


def _check_text(body: bytes) -> None:
    # The decoder passes the input over without reading its text.
    if body.startswith(_BYTE_ORDER_MARKS):
        raise InvalidInput("The body begins with a byte order mark; send UTF-8 without one.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The body is not UTF-8 (at byte {error.start}); encode it as UTF-8.") from None


def _malformed(body: bytes, error: msgspec.DecodeError) -> InvalidInput | MalformedBody:
    if _LONE_SURROGATE.search(body):
        return InvalidInput("The body has half of a character, as \\ud83d without its other half; send whole ones.")
    reason = f"not valid JSON ({error})" if body.strip() else "empty"
    return MalformedBody(f"The body is {reason}; {_EXPECTED}.")
