"""Numpy's arrays and scalars as input types: nested lists of numbers, and numbers."""

import typing
from collections.abc import Sequence
from itertools import chain
from typing import Any, cast

import numpy as np

from zypher.models.libraries import InvalidValue, Schema

_DType = np.dtype[Any]

_NUMBERS = frozenset([int, float])
_TAKEN: dict[str, tuple[frozenset[type], str]] = {  # by kind of dtype: the types of JSON's values, in words
    "f": (_NUMBERS, "must be a number"),
    "i": (frozenset([int]), "must be an integer"),
    "u": (frozenset([int]), "must be an integer"),
    "b": (frozenset([bool]), "must be a boolean"),
    "U": (frozenset([str]), "must be a string"),
}
_ABSTRACT: dict[object, type] = {
    np.floating: np.float64,
    np.inexact: np.float64,
    np.integer: np.int64,
    np.signedinteger: np.int64,
    np.unsignedinteger: np.uint64,
}
_DIMENSIONS = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32  # that numpy has
_SMALL = 2**16  # bytes
_MOST_PADDING = 64  # times what was sent
_OF_JSON: dict[type, type] = {int: np.int64, bool: np.bool_, str: np.str_}


def schema(kind: Any) -> Schema | None:
    if isinstance(typing.get_origin(kind), type):
        kind, parameters = typing.get_origin(kind), typing.get_args(kind)
        if len(parameters) > 1 and not _is_taken(_dtype(parameters[1])):
            return None
    if issubclass(kind, np.ndarray):
        return {"type": "array", "description": "An array: lists of equal lengths, nested once for each dimension."}
    if issubclass(kind, np.floating):
        return {"type": "number"}
    if issubclass(kind, np.integer):
        return {"type": "integer"}
    if issubclass(kind, np.bool_):
        return {"type": "boolean"}
    return {"type": "string"} if issubclass(kind, np.str_) else None


def read(kind: Any, value: Any) -> object:
    """An array or a scalar of JSON's values. Raises `InvalidValue`."""
    parameters = typing.get_args(kind)
    if not parameters and not issubclass(kind, np.ndarray):
        return _scalar(np.dtype(_ABSTRACT.get(kind, kind)), value)
    if type(value) is not list:
        raise InvalidValue("", "must be an array")
    leaves, depth = _leaves(cast(list[Any], value))
    dimensions = _dimensions(parameters[0]) if parameters else None
    if dimensions is not None and depth != dimensions:
        raise InvalidValue("", f"must be an array of {dimensions} dimensions, not of {depth}")
    dtype = (_dtype(parameters[1]) if len(parameters) > 1 else None) or _dtype_of(leaves)
    taken, reason = _TAKEN[dtype.kind]
    if not taken.issuperset(map(type, leaves)):
        number = next(number for number, leaf in enumerate(leaves) if type(leaf) not in taken)
        raise InvalidValue(_path(number, value, depth), reason)
    if dtype.kind == "U":
        _refuse_texts(leaves)
    return _made(cast(object, value), dtype)


def _scalar(dtype: _DType, value: object) -> object:
    taken, reason = _TAKEN[dtype.kind]
    if type(value) not in taken:
        raise InvalidValue("", reason)
    if isinstance(value, str):
        return np.str_(value)  # of an array, the zeros at its end would be lost
    return _made(value, dtype)[()]


def _refuse_texts(texts: Sequence[str]) -> None:
    """Raise `InvalidValue` for texts that an array cannot hold, or only in far more memory than they have."""
    padded = 4 * len(texts) * max(map(len, texts), default=0)  # each is as long as the longest, in UTF-32
    if padded > max(_SMALL, _MOST_PADDING * (sum(map(len, texts)) + 3 * len(texts))):  # with quotes and a comma
        raise InvalidValue("", f"must have texts of similar lengths: padded to the longest they have {padded:,} bytes")
    if any(text.endswith("\0") for text in texts):
        raise InvalidValue("", "must have no text that ends with a NUL, which an array would lose")


def _is_taken(dtype: _DType | None) -> bool:
    return dtype is None or dtype.kind in _TAKEN


def _dimensions(shape: object) -> int | None:
    sizes = typing.get_args(shape)
    return len(sizes) if typing.get_origin(shape) is tuple and Ellipsis not in sizes else None


def _dtype(hint: object) -> _DType | None:
    """Of `np.dtype[…]`; None where it leaves the choice open."""
    (scalar,) = typing.get_args(hint) or (None,)
    scalar = typing.get_origin(scalar) or scalar
    scalar = _ABSTRACT.get(scalar, scalar)
    return np.dtype(cast(Any, scalar)) if _is_concrete(scalar) else None


def _is_concrete(scalar: object) -> bool:
    return isinstance(scalar, type) and issubclass(scalar, np.generic) and scalar not in (np.generic, np.number)


def _dtype_of(leaves: Sequence[object]) -> _DType:
    """What fits all values; where none does, what fits the first."""
    kinds: set[type] = set(map(type, leaves)) or {float}
    if len(kinds) > 1:
        kinds = {float} if kinds <= _NUMBERS else {type(leaves[0])}
    return np.dtype(_OF_JSON.get(kinds.pop(), np.float64))


def _leaves(value: list[Any]) -> tuple[list[Any], int]:
    """What is in the innermost lists, and how deep these are. Raises `InvalidValue` for lists of different lengths."""
    depth = 1
    while value and set(map(type, value)) == {list}:
        if len(set(map(len, value))) > 1:
            raise InvalidValue("", "must be an array of lists of equal lengths")
        value = list(chain.from_iterable(value))
        depth += 1
        if depth > _DIMENSIONS:
            raise InvalidValue("", f"must be an array of at most {_DIMENSIONS} dimensions")
    if list in map(type, value):
        raise InvalidValue("", "must be an array of lists of equal depths")
    return value, depth


def _path(number: int, value: Any, depth: int) -> str:
    """The place in an array of the value with this number in it."""
    sizes: list[int] = []
    for _ in range(depth):
        sizes.append(len(value))
        value = value[0]  # at last a leaf, which is not looked into
    steps: list[int] = []
    for size in reversed(sizes):
        number, step = divmod(number, size)
        steps.append(step)
    return "".join(f"[{step}]" for step in reversed(steps))


def _made(value: object, dtype: _DType) -> np.ndarray[Any, Any]:
    try:
        with np.errstate(over="ignore"):
            array = np.array(value, dtype=dtype)
    except OverflowError:
        raise InvalidValue("", f"has a number that is out of range for {dtype}") from None
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidValue("", f"has a number that is out of range for {dtype}")
    return array
