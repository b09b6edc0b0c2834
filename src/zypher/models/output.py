"""What a model returned, as JSON bytes.

Besides JSON's own values: dataclasses, TypedDicts, NamedTuples, msgspec.Structs, pydantic models and Enums; arrays and
tensors of any library (`.tolist()`), numpy's scalars, pandas' frames, series and scalars; mappings, sequences and sets
as objects and arrays; datetime, date, time and timedelta as ISO 8601, UUID and Decimal as texts, bytes as base64;
subclasses as what they derive from. What JSON cannot represent is an error, NaN and the infinities included, which
many encoders write as something else.
"""

from collections.abc import Callable
from functools import partial
from itertools import chain
from types import NoneType
from typing import Any, cast

import msgspec

from zypher.errors import OutputError
from zypher.models.output_errors import (
    is_non_finite,
    refuse_equal_keys,
    refuse_non_finite,
    refuse_non_finite_keys,
    sentence,
)
from zypher.models.plain_values import as_tree, plain
from zypher.models.user_error import ABOUT_A_VALUE

# A byte is found many times faster than a word, and each word here has one that is rare in JSON without it.
_U, _N, _I, _BRACE, _QUOTE = b'uNI{"'
_NUMBERS: frozenset[object] = frozenset([int, float])
_SCALARS: frozenset[object] = frozenset([str, int, float, bool, NoneType])

_type_of: Callable[[object], object] = type
_encode = msgspec.json.Encoder(enc_hook=plain).encode
_skip = msgspec.json.Decoder(msgspec.Raw).decode  # raises what decoding raises, and makes nothing


class OutputEncoder:
    """Encodes the outputs of one model."""

    def __init__(self, *, nan_is_null: bool = False) -> None:
        """`nan_is_null`: NaN and the infinities become null instead of errors."""
        self._nan_is_null = nan_is_null

    def encode(self, value: Any) -> bytes:
        """The JSON of a value. Raises `OutputError`, and what its own methods raise that is not about a value."""
        try:
            encoded = _encode(value)
            if _U in encoded and b"null" in encoded and not self._nan_is_null:  # None, or a float that is not finite
                refuse_non_finite(as_tree(value))
            kind = _type_of(value)
            if kind is not dict:
                is_plain = kind in _SCALARS or (kind is list and _are_numbers(value, encoded))
                return encoded if is_plain else self._checked(value, encoded)
            for key, item in value.items():
                if type(key) is not str or type(item) not in _SCALARS:
                    return self._checked(value, encoded)
            return encoded
        except OutputError:
            raise
        except ABOUT_A_VALUE as error:
            raise OutputError(sentence(value, error, partial(as_tree, value))) from error

    def _checked(self, value: object, encoded: bytes) -> bytes:
        """The JSON, of a value in which there may be what msgspec writes as it is."""
        checked = encoded
        if _has_constant(encoded) or not _is_json(encoded):
            tree = as_tree(value)
            if not self._nan_is_null:
                refuse_non_finite(tree)
            checked = msgspec.json.encode(_with_nulls(tree) if self._nan_is_null else tree)
        if _BRACE in encoded and _may_have_other_keys(value, encoded.count(_BRACE)):
            refuse_equal_keys(encoded)
            refuse_non_finite_keys(as_tree(value))
        return checked


def _are_numbers(items: list[Any], encoded: bytes) -> bool:
    """Whether all items are evidently numbers."""
    return _QUOTE not in encoded and _BRACE not in encoded and _NUMBERS.issuperset(map(_type_of, items))


def _is_json(encoded: bytes) -> bool:
    """Whether all of it is: a `msgspec.Raw` is written as it is, and NaN by pydantic as a word."""
    try:
        _skip(encoded)
        return encoded.isascii() or bool(encoded.decode())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _has_constant(encoded: bytes) -> bool:
    """Whether there may be a NaN or an infinity of a Decimal, or of pydantic."""
    return (_N in encoded and b"NaN" in encoded) or (_I in encoded and b"Infinity" in encoded)


def _may_have_other_keys(value: object, most: int) -> bool:
    """Whether one of the dicts in a value, `most` of them, has keys that are no texts, or is in what is no list."""
    level: list[object] = [value]
    while level:
        dicts = cast(list[dict[object, object]], [each for each in level if type(each) is dict])
        if not {str}.issuperset(map(type, chain.from_iterable(dicts))):
            return True
        most -= len(dicts)
        if most == 0:
            return False
        others = [each for each in level if type(each) is not dict and type(each) not in _SCALARS]
        if not {list, tuple}.issuperset(map(type, others)):
            return True
        lists = cast(list[list[object]], others)
        level = [*chain.from_iterable(lists), *chain.from_iterable(map(dict[object, object].values, dicts))]
    return False


def _with_nulls(tree: object) -> object:
    """The same with null for each number that is not finite."""
    match tree:
        case dict():
            return {key: _with_nulls(item) for key, item in cast(dict[object, object], tree).items()}
        case list() | tuple():
            return [_with_nulls(item) for item in cast(list[object], tree)]
        case _:
            return None if is_non_finite(tree) else tree
