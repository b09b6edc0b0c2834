"""Pandas' frames as records, its series and scalars as plain values."""

import math
from importlib import import_module
from typing import Any

from zypher.errors import OutputError
from zypher.models.libraries import Plain, Schema, Side

_pandas: Any = import_module("pandas")  # which has no types of its own


def is_value(value: object) -> bool:
    kinds = (_pandas.DataFrame, _pandas.Series, _pandas.Index, _pandas.Timestamp, _pandas.Timedelta)
    return value is _pandas.NA or value is _pandas.NaT or isinstance(value, kinds)


def schema(kind: Any, side: Side) -> Schema | None:
    """Of an output; what an input's columns are would not be checked."""
    if side == "validation":
        return None
    if issubclass(kind, _pandas.DataFrame):
        return {"type": "array", "items": {"type": "object"}}
    if issubclass(kind, _pandas.Series | _pandas.Index):
        return {"type": "array"}
    return {"type": "string"} if issubclass(kind, _pandas.Timestamp | _pandas.Timedelta) else None


def read(kind: object, value: object) -> object:
    return value


def plain(value: Any, others: Plain) -> object:
    """A frame as a list of dicts, without its index; a series or an index as a list; NA as None, NaT as NaN.

    Instants are Python's, one between two microseconds is a text; durations are numpy's. Raises `OutputError` for
    columns of one name.
    """
    if value is _pandas.NA:
        return None
    if value is _pandas.NaT:
        return math.nan
    if isinstance(value, _pandas.DataFrame):
        return _records(value)
    if isinstance(value, _pandas.Timestamp):
        return value.isoformat() if value.nanosecond else value.to_pydatetime()
    if isinstance(value, _pandas.Timedelta):
        return value.to_timedelta64()
    return value.tolist()


def _records(frame: Any) -> list[dict[object, object]]:
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise OutputError(
            f"The model returned a `DataFrame` with more than one column `{twice!s:.100}`, of which a record can have "
            "one: rename them."
        )
    columns = [column.tolist() for _, column in frame.items()]
    return [dict(zip(frame.columns, row, strict=True)) for row in zip(*columns, strict=True)]
