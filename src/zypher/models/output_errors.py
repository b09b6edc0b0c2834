"""Why an output is not JSON, as a sentence with a path."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from inspect import iscoroutine
from typing import cast

import msgspec

from zypher.errors import OutputError
from zypher.models.user_error import headline
from zypher.text import encodable

_INSTEAD = "return text, numbers, lists, dicts or dataclasses of these"

Tree = Callable[[Callable[[object], object] | None], object]


class NotJson(TypeError):
    """A value of a type that JSON cannot represent, or that it cannot have as a key."""

    def __init__(self, value: object, *, is_key: bool = False) -> None:
        super().__init__()
        self.value = value
        self.is_key = is_key


class _Place(msgspec.Struct, frozen=True):
    """Where a value is inside of another."""

    parent: "_Place | None"
    key: object
    is_index: bool


def refuse_non_finite(tree: object) -> None:
    """Raise `OutputError` for a NaN or an infinity in a tree of dicts and lists."""
    for place, value in _values(tree):
        if is_non_finite(value):
            raise OutputError(
                f"The model returned {value}, a `{_kind(value)}`, at `{_path(place)}`, which is not JSON: "
                'return a finite number or None instead (of a NaT, too), or state `nan = "null"` in the model.'
            )


def refuse_non_finite_keys(tree: object, root: str = "$") -> None:
    """Raise `OutputError` for a NaN or an infinity as a key in a tree of dicts and lists, whose path is `root`."""
    for place, _ in _values(tree):
        if place is not None and is_non_finite(place.key):
            raise OutputError(
                f"The model returned a dict with the key {place.key}, a `{_kind(place.key)}`, "
                f"at `{_path(place.parent, root)}`, which is not JSON: use texts."
            )


def decode_unique(encoded: bytes) -> object:
    """The value of a JSON text.

    Raises `OutputError` for an object in it that has a key twice, and what msgspec raises for what is not JSON.
    """
    decoded: object = msgspec.json.decode(encoded)
    if b"{" in encoded and len(msgspec.json.encode(decoded)) != len(encoded):  # perhaps since a key was lost on the way
        json.loads(encoded, object_pairs_hook=lambda pairs: refuse_equal_texts(key for key, _ in pairs))
    return decoded


def refuse_equal_texts(keys: Iterable[str]) -> None:
    """Raise `OutputError` if one of the keys of a dict, as texts, is there twice."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise OutputError(
                "The model returned a dict in which keys are equal once they are texts, as in JSON: "
                f"`{encodable(key[:100])}`. Use texts that differ."
            )
        seen.add(key)


def sentence(value: object, error: Exception, tree: Tree) -> str:
    """Why a value cannot be encoded; `tree` makes dicts and lists of it, by a function for what has no JSON."""
    match error:
        case NotJson():
            return _sentence_of_type(error, tree)
        case UnicodeEncodeError():
            return "The model returned a `str` with a lone surrogate, which is not JSON: return whole characters."
        case RecursionError():
            return f"The model returned a `{_kind(value)}` that contains itself or is nested too deeply: flatten it."
        case _:
            return f"The model returned a `{_kind(value)}` that cannot become JSON ({headline(error)}): {_INSTEAD}."


def _sentence_of_type(error: NotJson, tree: Tree) -> str:
    culprit = error.value
    if error.is_key:
        return f"The model returned a dict with a key of type `{_kind(culprit)}`, which is not JSON: use texts."
    instead = _INSTEAD
    if iscoroutine(culprit):
        culprit.close()
        instead = "await it, or declare predict with `async def`"
    return f"The model returned a `{_kind(culprit)}`{_where(tree)}, which is not JSON: {instead}."


def _where(tree: Tree) -> str:
    """The path of the first value that cannot be encoded; "" for the root, or when it is not found."""
    mark = "the culprit"
    try:
        marked = tree(lambda _: mark)
    except Exception:
        return ""
    place = next((place for place, value in _values(marked) if value is mark), None)
    return f" at `{_path(place)}`" if place else ""


def _values(tree: object) -> Iterator[tuple[_Place | None, object]]:
    """The tree and each value in it, in order."""
    pending: list[tuple[_Place | None, object]] = [(None, tree)]
    while pending:
        place, value = pending.pop()
        yield place, value
        match value:
            case dict():
                inner = [(_Place(place, key, False), item) for key, item in cast(dict[object, object], value).items()]
            case list() | tuple():
                inner = [(_Place(place, key, True), item) for key, item in enumerate(cast(list[object], value))]
            case _:
                continue
        pending.extend(reversed(inner))


def is_non_finite(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, Decimal) and not value.is_finite()


def as_float(number: float | Decimal) -> float:
    """A number that is not finite, of whatever type, as a float."""
    return math.nan if isinstance(number, Decimal) and number.is_nan() else float(number)


def _path(place: _Place | None, root: str = "$") -> str:
    steps: list[str] = []
    while place is not None:
        steps.append(f"[{place.key}]" if place.is_index else f".{place.key!s:.100}")
        place = place.parent
    return encodable(root + "".join(reversed(steps)))


def _kind(value: object) -> str:
    return type(value).__qualname__
