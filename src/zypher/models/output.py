"""What a model returned, as JSON bytes.

Besides JSON's own values: dataclasses, TypedDicts, NamedTuples, msgspec.Structs, pydantic models and
Enums; numpy scalars and arrays; sets and tuples as arrays; datetime, date, time and timedelta as
ISO 8601, UUID and Decimal as texts, bytes as base64. What JSON cannot represent is an error, NaN and the
infinities included, which many encoders write as something else.
"""

import math
from collections.abc import Iterator
from inspect import iscoroutine
from types import NoneType
from typing import cast

import msgspec

from zypher.errors import OutputError
from zypher.models import libraries
from zypher.models.user_error import ABOUT_A_VALUE, headline
from zypher.text import encodable

_ONLY_AS_KEY: set[type] = {NoneType, bool, tuple, frozenset}  # as values, JSON has all of these
_INSTEAD = "return text, numbers, lists, dicts or dataclasses of these"


class _NotJson(TypeError):
    """A value of a type that JSON cannot represent."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


def encode_output(value: object) -> bytes:
    """The JSON of a value. Raises `OutputError`, and what the value's own methods raise that is not about a value."""
    try:
        encoded = _encoder.encode(value)
        if b"null" in encoded:  # None, or a float that is not finite
            _refuse_non_finite(value)
    except OutputError:
        raise
    except ABOUT_A_VALUE as error:
        raise OutputError(_sentence(value, error)) from error
    return encoded


def _plain(value: object) -> object:
    """The value or key, of a type unknown to msgspec, as a type that it encodes. Raises `_NotJson`."""
    for library in libraries.values():
        if library.is_value(value):
            return library.plain(value)
    if isinstance(value, int) and not isinstance(value, bool):  # of a subclass
        return int(value)
    if isinstance(value, float):
        return float(value)
    raise _NotJson(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def _refuse_non_finite(value: object) -> None:
    for place, leaf in _leaves(msgspec.to_builtins(value, enc_hook=_plain, str_keys=True)):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise OutputError(
                f"The model returned {leaf}, a `float`, at `{_path(place)}`, which is not JSON: "
                "return a finite number or None instead."
            )


def _sentence(value: object, error: Exception) -> str:
    match error:
        case _NotJson():
            return _sentence_of_type(value, error.value)
        case UnicodeEncodeError():
            return "The model returned a `str` with a lone surrogate, which is not JSON: return whole characters."
        case RecursionError():
            return f"The model returned a `{_kind(value)}` that contains itself or is nested too deeply: flatten it."
        case _:
            return f"The model returned a `{_kind(value)}` that cannot become JSON ({headline(error)}): {_INSTEAD}."


def _sentence_of_type(value: object, culprit: object) -> str:
    if type(culprit) in _ONLY_AS_KEY:
        return f"The model returned a dict with a key of type `{_kind(culprit)}`, which is not JSON: use texts."
    instead = _INSTEAD
    if iscoroutine(culprit):
        culprit.close()
        instead = "await it, or declare predict with `async def`"
    return f"The model returned a `{_kind(culprit)}`{_where(value)}, which is not JSON: {instead}."


def _where(value: object) -> str:
    """The path of the first value that cannot be encoded; "" for the root, or when it is not found."""
    mark = "the culprit"

    def plain_or_mark(item: object) -> object:
        try:
            return _plain(item)
        except Exception:
            return mark

    try:
        tree = msgspec.to_builtins(value, enc_hook=plain_or_mark, str_keys=True)
    except Exception:
        return ""
    place = next((place for place, leaf in _leaves(tree) if leaf is mark), None)
    return f" at `{_path(place)}`" if place else ""


class _Place(msgspec.Struct, frozen=True):
    """Where a value is inside of another."""

    parent: "_Place | None"
    key: str | int


def _leaves(tree: object) -> Iterator[tuple[_Place | None, object]]:
    """Each value that is neither a list nor a dict, in order."""
    pending: list[tuple[_Place | None, object]] = [(None, tree)]
    while pending:
        place, value = pending.pop()
        match value:
            case dict():
                inner = list(cast(dict[str, object], value).items())
            case list() | tuple():
                inner = list(enumerate(cast(list[object], value)))
            case _:
                yield place, value
                continue
        pending.extend((_Place(place, key), item) for key, item in reversed(inner))


def _path(place: _Place | None) -> str:
    steps: list[str] = []
    while place is not None:
        steps.append(f"[{place.key}]" if isinstance(place.key, int) else f".{place.key:.100}")
        place = place.parent
    return encodable("$" + "".join(reversed(steps)))


def _kind(value: object) -> str:
    return type(value).__qualname__
