"""Numpy's scalars and arrays as plain values."""

import numpy as np

from zypher.errors import OutputError


def is_value(value: object) -> bool:
    return isinstance(value, np.generic | np.ndarray)


def plain(value: object) -> object:
    """Numbers, texts and lists; instants as ISO 8601 texts, spans as `timedelta`. Raises `OutputError` for NaT."""
    array = np.asanyarray(value)
    kind = array.dtype.kind
    if kind in "mM" and np.isnat(array).any():
        raise OutputError(f"The model returned NaT in a `{array.dtype}`, which is not JSON: return None instead.")
    if kind == "M":
        array = np.datetime_as_string(array)
    elif kind == "m":
        array = array.astype("timedelta64[us]")
    elif kind == "f":
        array = array.astype(np.float64)  # `tolist` leaves a longdouble as it is
    return array.tolist()
