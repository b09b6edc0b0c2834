"""What models return of pandas."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from tests.missing import missing
from tests.unit.models.kinds import giving, taking
from zypher.errors import OutputError, TargetError
from zypher.models.output import OutputEncoder

encode = OutputEncoder().encode
encode_with_nulls = OutputEncoder(nan_is_null=True).encode


@pytest.fixture
def pd() -> Any:
    if find_spec("pandas") is None:
        missing("pandas is not installed: run `make install-dev`.")
    return import_module("pandas")


def test_frames_are_records_and_series_are_lists(pd: Any) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "at": pd.to_datetime(["2024-01-01", "2024-01-02"])})

    assert encode(frame[["a"]]) == b'[{"a":1},{"a":2}]'
    assert encode({"frame": frame[:1]}) == b'{"frame":[{"a":1,"b":"x","at":"2024-01-01T00:00:00"}]}'
    assert encode(pd.DataFrame([[1, 2.5]])) == b'[{"0":1,"1":2.5}]'
    assert encode(pd.DataFrame()) == b"[]"
    assert encode(frame[["a"]].to_records(index=False)) == encode(frame[["a"]])
    assert encode(frame["a"]) == encode(pd.Index([1, 2])) == b"[1,2]"
    assert encode(pd.Series(["x", "y"], dtype="category")) == b'["x","y"]'


def test_instants_and_durations_are_as_pythons(pd: Any) -> None:
    assert encode(pd.Timestamp("2024-01-01", tz="UTC")) == b'"2024-01-01T00:00:00Z"'
    assert encode(pd.Timestamp("2024-01-01T00:00:00.000000001")) == b'"2024-01-01T00:00:00.000000001"'
    assert encode({pd.Timestamp("2024-01-01"): pd.Timedelta("1D")}) == b'{"2024-01-01T00:00:00":"P1D"}'
    assert encode(pd.DataFrame({"in": [pd.Timedelta(1, "ns")]})) == b'[{"in":"PT0.000000001S"}]'


def test_na_is_null_and_other_missing_values_are_nan(pd: Any) -> None:
    assert encode([pd.NA]) == b"[null]"
    assert encode(pd.DataFrame({"a": [1, None]}, dtype="Int64")) == b'[{"a":1},{"a":null}]'
    for value in (pd.NaT, pd.Series([1.5, None]), pd.Series([pd.NaT]), pd.DataFrame({"a": [1.5, None]})):
        with pytest.raises(OutputError, match="returned nan"):
            encode(value)
        assert b"null" in encode_with_nulls(value)


def test_columns_that_a_record_cannot_hold_are_an_error(pd: Any) -> None:
    with pytest.raises(OutputError, match="more than one column `a`"):
        encode(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(OutputError, match="equal once they are texts, as in JSON: `1`"):
        encode(pd.DataFrame([[1, 2]], columns=[1, "1"]))


def test_output_hints_are_described_and_input_hints_refused(pd: Any) -> None:
    assert giving(pd.DataFrame).card.output_schema == {"type": "array", "items": {"type": "object"}}
    assert giving(pd.Series).card.output_schema == {"type": "array"}
    assert giving(dict[str, pd.Timestamp]).card.output_schema["additionalProperties"] == {"type": "string"}
    with pytest.raises(TargetError, match=r"use list\[dict\[str, float\]\] or a list of dataclasses"):
        taking(pd.DataFrame)
    assert "pandas" in sys.modules
