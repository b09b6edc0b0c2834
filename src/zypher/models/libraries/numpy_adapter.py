"""Numpy's scalars and arrays as input types and as plain values."""

import math
from typing import Any

import numpy as np

from zypher.models.libraries import Plain, Schema, Side, numpy_input


def is_value(value: object) -> bool:
    return isinstance(value, np.generic | np.ndarray)


def schema(kind: Any, side: Side) -> Schema | None:
    return numpy_input.schema(kind)


def read(kind: object, value: object) -> object:
    return numpy_input.read(kind, value)


def plain(value: object, others: Plain) -> object:
    """Numbers, texts and lists; instants as ISO 8601 texts, spans as `timedelta`, NaT as NaN."""
    array = np.asanyarray(value)
    kind = array.dtype.kind
    if kind in "mM":
        missing = np.isnat(array)
        array = np.asarray(np.datetime_as_string(array)) if kind == "M" else array.astype("timedelta64[us]")
        if missing.any():
            array = array.astype(object)
            array[missing] = math.nan
    elif kind == "f":
        array = array.astype(np.float64)  # `tolist` leaves a longdouble as it is
    return array.tolist()
