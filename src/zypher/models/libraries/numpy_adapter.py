"""Numpy's scalars and arrays as input types and as plain values."""

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from zypher.models.libraries import Plain, Schema, Side, numpy_input

_OF_CALENDAR = ("Y", "M")
_SECONDS = {
    unit: Decimal(seconds)
    for unit, seconds in [
        *[("W", "604800"), ("D", "86400"), ("h", "3600"), ("m", "60"), ("s", "1")],
        *[("ms", "1e-3"), ("us", "1e-6"), ("ns", "1e-9"), ("ps", "1e-12"), ("fs", "1e-15"), ("as", "1e-18")],
    ]
}


def is_value(value: object) -> bool:
    if isinstance(value, np.character):  # a `str` or `bytes`; in an array it would lose the zeros at its end
        return False
    return isinstance(value, np.generic | np.ndarray)


def schema(kind: Any, side: Side) -> Schema | None:
    return numpy_input.schema(kind)


def read(kind: object, value: object) -> object:
    return numpy_input.read(kind, value)


def plain(value: object, others: Plain) -> object:
    """Numbers, texts and lists; a record as a dict; instants as ISO 8601 texts, NaT as NaN.

    Durations are `timedelta`, or ISO 8601 texts where that would round them.
    """
    array = np.asanyarray(value)
    if names := array.dtype.names:
        return list(array) if array.ndim else {name: array[name] for name in names}
    kind = array.dtype.kind
    if kind in "mM":
        missing = np.isnat(array)
        array = np.asarray(np.datetime_as_string(array) if kind == "M" else _durations(array))
        if missing.any():
            array = array.astype(object)
            array[missing] = math.nan
    elif array.dtype.char == "g":
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)  # `tolist` leaves a longdouble as it is
    return array.tolist()


def _durations(array: Any) -> Any:
    unit, step = np.datetime_data(array.dtype)
    counts = array.astype(np.int64).astype(object) * step
    return np.frompyfunc(lambda count: _duration(count, unit), 1, 1)(counts)


def _duration(count: int, unit: str) -> object:
    """So many of a unit of numpy's."""
    sign = "-" if count < 0 else ""
    if unit == "generic":
        return count
    if unit in _OF_CALENDAR:
        return f"{sign}P{abs(count)}{unit}"
    seconds = count * _SECONDS[unit]
    try:
        rounded = timedelta(microseconds=int(seconds * 1_000_000))
        if rounded // timedelta(microseconds=1) == seconds * 1_000_000:
            return rounded
    except OverflowError:  # beyond what Python has
        pass
    return f"{sign}PT{abs(seconds).normalize():f}S"
