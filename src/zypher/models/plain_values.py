"""Values of types that msgspec does not encode, as values that it encodes, or a step closer to that."""

import json
from collections.abc import Callable, Mapping, Sequence, Set, ValuesView
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, cast
from uuid import UUID

import msgspec

from zypher.models import libraries

_ONLY_AS_KEY = (NoneType, bool, list, tuple, set, frozenset, dict)  # as values, JSON has all of these


class NotJson(TypeError):
    """A value of a type that JSON cannot represent."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value
        self.is_key = _is_key(value)


def plain(value: object) -> object:
    """The value or key, of a type unknown to msgspec, as one that it encodes. Raises `NotJson`."""
    for library in libraries.values():
        if library.is_value(value):
            return library.plain(value, as_tree)
    if _is_key(value):
        raise NotJson(value)
    for kind, as_plain in _PLAIN:
        if isinstance(value, kind):
            return as_plain(value)
    if callable(getattr(type(value), "tolist", None)):  # an array or a tensor, whatever its library
        return cast(Any, value).tolist()
    for kind, as_plain in _COLLECTIONS:
        if isinstance(value, kind):
            return as_plain(value)
    raise NotJson(value)


def as_tree(value: object, instead: Callable[[object], object] | None = None) -> object:
    """The value as dicts, lists, texts, numbers and Decimals; what has no JSON as whatever `instead` makes of it.

    A `msgspec.Raw` is read, with NaN and the infinities as words in it.
    """

    def step(item: object) -> object:
        try:
            made = item if isinstance(item, msgspec.Raw) else plain(item)
            return json.loads(bytes(made)) if isinstance(made, msgspec.Raw) else made
        except Exception:
            if instead is None:
                raise
            return instead(item)

    return msgspec.to_builtins(value, enc_hook=step, builtin_types=(Decimal,), str_keys=False)


def _is_key(value: object) -> bool:
    return isinstance(value, _ONLY_AS_KEY)


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
