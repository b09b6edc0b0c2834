"""What a model returned, as JSON bytes.

Besides JSON's own values: dataclasses, TypedDicts, NamedTuples, msgspec.Structs, pydantic models and Enums; arrays and
tensors of any library (`.tolist()`), numpy's scalars, pandas' frames, series and scalars; mappings, sequences and sets
as objects and arrays; datetime, date, time and timedelta as ISO 8601, UUID and Decimal as texts, bytes as base64;
subclasses as what they derive from. What JSON cannot represent is an error, NaN and the infinities included, which
many encoders write as something else. A value is the same JSON, or the same error, wherever it stands.
"""

from functools import partial

import msgspec

from zypher.errors import OutputError
from zypher.models.output_errors import decode_unique, refuse_non_finite, refuse_non_finite_keys, sentence
from zypher.models.plain_values import as_tree, encode, is_plain, may_be_non_finite, replace_non_finite
from zypher.models.user_error import ABOUT_A_VALUE

_skip = msgspec.json.Decoder(msgspec.Raw).decode  # raises what decoding raises, and makes nothing


class OutputEncoder:
    """Encodes the outputs of one model."""

    def __init__(self, *, nan_is_null: bool = False) -> None:
        """`nan_is_null`: NaN and the infinities become null instead of errors."""
        self._nan_is_null = nan_is_null

    def encode(self, value: object) -> bytes:
        """The JSON of a value. Raises `OutputError`, and what its own methods raise that is not about a value."""
        try:
            encoded = encode(value)
            return encoded if is_plain(value, encoded) and _is_json(encoded) else self._encode_odd(value, encoded)
        except OutputError:
            raise
        except ABOUT_A_VALUE as error:
            raise OutputError(sentence(value, error, partial(as_tree, value))) from error

    def _encode_odd(self, value: object, encoded: bytes) -> bytes:
        """The JSON of a value in which there may be what msgspec writes, but JSON does not have."""
        decode_unique(encoded)
        if not may_be_non_finite(encoded):
            return encoded
        tree = as_tree(value)
        if is_plain(tree, encoded):
            return encoded
        refuse_non_finite_keys(tree)
        if self._nan_is_null:
            return msgspec.json.encode(replace_non_finite(tree, lambda _: None))
        refuse_non_finite(tree)
        return encoded


def _is_json(encoded: bytes) -> bool:
    """Whether all of it is: a `msgspec.Raw` is written as it is."""
    try:
        _skip(encoded)
        return encoded.isascii() or bool(encoded.decode())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
