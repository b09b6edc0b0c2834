"""Values of types that msgspec does not encode, as values that it encodes, or a step closer to that.

is_plain  whether there is nothing of that kind in a value: the usual case, which must cost least
plain     one such value
encode    the JSON of a value, whatever is in it
as_tree   a value as dicts, lists and scalars
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set, ValuesView
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, cast
from uuid import UUID

import msgspec

from zypher.models import libraries
from zypher.models.output_errors import NotJson, as_float, decode_unique, is_non_finite, refuse_non_finite_keys
from zypher.models.user_error import ABOUT_A_VALUE

_ONLY_AS_KEY = (NoneType, bool, list, tuple, set, frozenset, dict)  # as values, JSON has all of these
_SCALARS: frozenset[object] = frozenset([str, int, float, bool, NoneType])

# MessagePack serves to look at a whole value without a step of Python for each in it: msgspec refuses keys that are no
# texts when it is to sort them, and writes the NaN and infinities that are null in its JSON.
_pack = msgspec.msgpack.Encoder(order="deterministic").encode
_NON_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")  # a float all bits of whose exponent are set


def is_plain(value: object, encoded: bytes) -> bool:
    """Whether `encoded`, which msgspec wrote of a value, is JSON and all of it, but for what is in a `msgspec.Raw`.

    Then it is of types that msgspec encodes, the keys of its dicts are texts, and its numbers are finite.
    """
    try:
        packed = _pack(value)
    except ABOUT_A_VALUE:  # also of numbers that MessagePack lacks: the value is looked at more closely then
        return False
    if b"u" in encoded and _NON_FINITE.search(packed):  # no null is without a u
        return False
    return not _has_words(encoded)


def plain(value: object) -> object:
    """The value or key, of a type unknown to msgspec, as one that it encodes. Raises `NotJson`, and `OutputError`."""
    for library in libraries.values():
        if library.is_value(value):
            return library.plain(value, _plain_tree)
    if isinstance(value, _ONLY_AS_KEY):
        raise NotJson(cast(object, value), is_key=True)
    for kind, as_plain in _PLAIN:
        if isinstance(value, kind):
            return as_plain(value)
    if callable(getattr(type(value), "tolist", None)):  # an array or a tensor, whatever its library
        return cast(Any, value).tolist()
    for kind, as_plain in _COLLECTIONS:
        if isinstance(value, kind):
            return as_plain(value)
    raise NotJson(value)


encode = msgspec.json.Encoder(enc_hook=plain).encode


def as_tree(value: object, instead: Callable[[object], object] | None = None) -> object:
    """The value as dicts, lists, texts, numbers and Decimals; what has no JSON as whatever `instead` makes of it.

    Of keys that are equal as texts the last one is kept.
    """

    def step(item: object) -> object:
        try:
            return msgspec.json.decode(item) if isinstance(item, msgspec.Raw) else plain(item)
        except Exception:
            if instead is None:
                raise
            return instead(item)

    return msgspec.to_builtins(value, enc_hook=step, builtin_types=(Decimal,), str_keys=False)


def may_be_non_finite(encoded: bytes) -> bool:
    """Whether the JSON that msgspec writes may be that of a number, or of a key, that is not finite."""
    return b"null" in encoded or _has_words(encoded) or b'nan"' in encoded or b'inf"' in encoded


def _has_words(encoded: bytes) -> bool:
    """Whether there may be a Decimal that is not finite. A byte is found many times faster than a word."""
    return (b"N" in encoded and b"NaN" in encoded) or (b"I" in encoded and b"Infinity" in encoded)


def replace_non_finite(tree: object, replacement: Callable[[Any], object]) -> object:
    """The tree with something else for each number in it that is not finite."""
    match tree:
        case dict():
            items = cast(dict[object, object], tree).items()
            return {key: replace_non_finite(item, replacement) for key, item in items}
        case list() | tuple():
            return [replace_non_finite(item, replacement) for item in cast(list[object], tree)]
        case _:
            return replacement(tree) if is_non_finite(tree) else tree


def _plain_tree(value: object) -> object:
    """A value inside of a library's as JSON's own; what is not finite as a float. Raises as `plain` does."""
    if type(value) in _SCALARS:
        return value
    encoded = encode(value)
    decoded = decode_unique(encoded)
    if not may_be_non_finite(encoded):
        return decoded
    tree = as_tree(value)
    refuse_non_finite_keys(tree, "…")
    return msgspec.to_builtins(replace_non_finite(tree, as_float), str_keys=True)


def _datetime(value: datetime) -> datetime:
    return datetime.combine(datetime.date(value), datetime.timetz(value))


def _time(value: time) -> time:
    return datetime.combine(date.min, value).timetz()


_Conversions = list[tuple[type | tuple[type, ...], Callable[[Any], object]]]

# The type itself of an instance of a subclass. Methods of the subclass may mean something else, so those of the
# type are called; but a number may convert itself.
_PLAIN: _Conversions = [
    (int, int),
    (float, float),
    (str, str.__str__),
    ((bytes, bytearray), lambda value: bytes(memoryview(value))),
    (datetime, _datetime),  # before date, which it is one of
    (date, lambda value: date.fromordinal(date.toordinal(value))),
    (time, _time),
    (timedelta, timedelta.__pos__),
    (Decimal, Decimal),
    (UUID, lambda value: UUID(int=value.int)),
]
_COLLECTIONS: _Conversions = [
    (Mapping, dict),
    ((Sequence, Set, ValuesView), list),
]
