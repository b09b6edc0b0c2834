"""The body of a request for a prediction: the JSON of one input in its envelope."""

import msgspec

from zypher.errors import InvalidInput, MalformedBody

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SHAPE = "send an object with exactly one field, $.input"


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends around its input."""

    input: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope)


def input_of(body: bytes) -> bytes:
    """The JSON of the input in `{"input": …}`, byte for byte. Raises `RequestError`."""
    try:
        if not body.isascii():
            _check_text(body)
        return bytes(_envelope.decode(body).input)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{error}; {_SHAPE}.") from None
    except msgspec.DecodeError as error:
        reason = f"not valid JSON ({error})" if body.strip() else "empty"
        raise MalformedBody(f"The body is {reason}; {_SHAPE}.") from None
    except RecursionError:
        raise InvalidInput("The body is nested too deeply; send a flatter one.") from None


def _check_text(body: bytes) -> None:
    # The decoder passes the input over without reading its text.
    if body.startswith(_BYTE_ORDER_MARKS):
        raise InvalidInput("The body begins with a byte order mark; send UTF-8 without one.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The body is not UTF-8 (at byte {error.start}); encode it as UTF-8.") from None
