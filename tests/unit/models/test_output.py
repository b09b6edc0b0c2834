"""What models return, as JSON; and what JSON cannot represent."""

import datetime as dt
import math
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np
import pydantic
import pytest

from tests.unit.models.kinds import Address, Cat, Colour, Customer, Order, Pair, Person, Priced
from zypher.errors import OutputError
from zypher.models.output import OutputEncoder

encode_output = OutputEncoder().encode


class Celsius(float):
    pass


class Count(int):
    pass


RECORDS = np.array(
    [(1, "2024-01-02", [1, 2]), (3, "2024-01-03", [4, 5])],
    dtype=[("a", "i4"), ("at", "datetime64[D]"), ("in", "i4", (2,))],
)


@dataclass
class Scores:
    scores: object


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({"a": [1, 2.5, None, True, "ä"]}, '{"a":[1,2.5,null,true,"ä"]}'),
        ({1: 2}, '{"1":2}'),
        ((1, {2}), "[1,[2]]"),
        (2**70, "1180591620717411303424"),
        (Celsius(1.5), "1.5"),
        ([Count(3)], "[3]"),
        (defaultdict(int, a=1), '{"a":1}'),
        (Person("Ada"), '{"name":"Ada","age":null,"friends":[]}'),
        (Pair(1), '[1,""]'),
        (Cat(9), '{"type":"Cat","lives":9}'),
        (Colour.RED, '"red"'),
        (dt.datetime(2024, 1, 2, tzinfo=dt.UTC), '"2024-01-02T00:00:00Z"'),
        (dt.timedelta(hours=1), '"PT3600S"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Decimal("1.10"), '"1.10"'),
        (b"hi", '"aGk="'),
        (Address(street="a", number=1), '{"street":"a","number":1}'),
        ([Priced(net=4.0)], '[{"net":4.0,"gross":5.0}]'),
        (Order(Customer(name="x"), {}), '{"customer":{"name":"x","addresses":[],"kind":"person"},"amounts":{}}'),
    ],
)
def test_a_value_is_written_as_json(value: object, encoded: str) -> None:
    assert encode_output(value) == encoded.encode()


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (np.float32(1.5), "1.5"),
        (np.float64(1.5), "1.5"),
        (np.float16(1.5), "1.5"),
        (np.longdouble(1.5), "1.5"),
        (np.int64(-3), "-3"),
        (np.uint64(2**64 - 1), "18446744073709551615"),
        (np.int8(3), "3"),
        (np.bool_(True), "true"),
        (np.str_("a"), '"a"'),
        (np.datetime64("2024-01-02T03:04:05.006"), '"2024-01-02T03:04:05.006"'),
        (np.datetime64("2024-01-02"), '"2024-01-02"'),
        (np.timedelta64(90, "s"), '"PT90S"'),
        (np.timedelta64(1, "ns"), '"PT0.000000001S"'),
        (np.timedelta64(-1, "as"), '"-PT0.000000000000000001S"'),
        (np.timedelta64(10**18, "s"), '"PT1000000000000000000S"'),
        (np.array([1, 1_000_000], dtype="timedelta64[ns]"), '["PT0.000000001S","PT0.001S"]'),
        (np.timedelta64(-5, "M"), '"-P5M"'),
        (np.timedelta64(5), "5"),
        (np.str_("a\0"), '"a\\u0000"'),
        (np.bytes_(b"a\0"), '"YQA="'),
        (RECORDS, '[{"a":1,"at":"2024-01-02","in":[1,2]},{"a":3,"at":"2024-01-03","in":[4,5]}]'),
        (RECORDS[0], '{"a":1,"at":"2024-01-02","in":[1,2]}'),
        (RECORDS.reshape(2, 1)[:1], '[[{"a":1,"at":"2024-01-02","in":[1,2]}]]'),
        (RECORDS.view(np.recarray)[1:], '[{"a":3,"at":"2024-01-03","in":[4,5]}]'),
        (np.ma.array(RECORDS[["a"]], mask=[True, False]), '[{"a":null},{"a":3}]'),
        (np.array([[1, 2], [3, 4]]), "[[1,2],[3,4]]"),
        (np.array(5), "5"),
        (np.array([]), "[]"),
        (np.array([1.5], dtype=np.longdouble), "[1.5]"),
        (np.array(["a", "b"]), '["a","b"]'),
        (np.array([True]), "[true]"),
        (np.array(["2024-01-02"], dtype="datetime64[D]"), '["2024-01-02"]'),
        (np.array([{"a": np.int8(1)}], dtype=object), '[{"a":1}]'),
        (np.ma.masked_array([1, 2], mask=[False, True]), "[1,null]"),
        ({"scores": [np.float32(0.5)], "label": np.str_("x")}, '{"scores":[0.5],"label":"x"}'),
        ({np.int64(1): np.int64(2)}, '{"1":2}'),
        ([{np.str_("a"): 1}, {np.float32(0.5): 2}], '[{"a":1},{"0.5":2}]'),
        (Scores({np.int64(1): None}), '{"scores":{"1":null}}'),
        (Scores(np.int64(3)), '{"scores":3}'),
    ],
)
def test_numpy_is_converted(value: object, encoded: str) -> None:
    assert encode_output(value) == encoded.encode()


class Struct(msgspec.Struct):
    scores: object


class Score(NamedTuple):
    label: str
    value: float


class Model(pydantic.BaseModel):
    scores: list[float]


@pytest.mark.parametrize(
    ("value", "what", "path"),
    [
        (math.nan, "nan", "$"),
        (math.inf, "inf", "$"),
        (-math.inf, "-inf", "$"),
        ({"scores": [1.0, None, math.nan]}, "nan", "$.scores[2]"),
        (np.float32("nan"), "nan", "$"),
        (np.float64("inf"), "inf", "$"),
        (np.datetime64("NaT"), "nan", "$"),
        (np.array(["2024-01-02", "NaT"], dtype="datetime64[D]"), "nan", "$[1]"),
        (np.array(["NaT"], dtype="timedelta64[s]"), "nan", "$[0]"),
        (Celsius("nan"), "nan", "$"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "nan", "$[1][1]"),
        (Scores((1, math.nan)), "nan", "$.scores[1]"),
        (Struct({"a b": math.inf}), "inf", "$.scores.a b"),
        (Model(scores=[math.nan]), "nan", "$.scores[0]"),
        ([Score("x", math.nan)], "nan", "$[0][1]"),
        ({np.int64(1): math.nan}, "nan", "$.1"),
        ([{1.5: {"x": math.nan}}], "nan", "$[0].1.5.x"),
    ],
)
def test_a_number_that_is_not_finite_is_an_error(value: object, what: str, path: str) -> None:
    with pytest.raises(OutputError) as caught:
        encode_output(value)

    assert f"returned {what}, a `float`, at `{path}`, which is not JSON" in str(caught.value)


class Custom:
    pass


async def coroutine() -> None: ...


circular: list[object] = []
circular.append(circular)


class Exploding(pydantic.BaseModel):
    @pydantic.computed_field
    @property
    def value(self) -> int:
        raise LookupError("nothing here")


@pytest.mark.parametrize(
    ("value", "such"),
    [
        (Custom(), "returned a `Custom`, which is not JSON: return text, numbers, lists"),
        ({"a": [1, Custom()]}, "returned a `Custom` at `$.a[1]`, which"),
        (Scores({"deep": Custom()}), "`Custom` at `$.scores.deep`"),
        ({np.int64(1): Custom()}, "`Custom` at `$.1`"),
        ([math.nan, Custom()], "`Custom` at `$[1]`"),
        ((n for n in (1, 2)), "returned a `generator`"),
        (1j, "returned a `complex`"),
        (np.complex64(1), "returned a `complex`"),
        (ValueError("x"), "returned a `ValueError`"),
        (Custom, "returned a `type`"),
        ({(1, 2): 3}, "a dict with a key of type `tuple`"),
        ({"a": frozenset({1}), frozenset({1}): 2}, "a dict with a key of type `frozenset`"),
        ({np.bool_(True): None}, "a dict with a key of type `bool`"),
        ([{None: 3}], "a dict with a key of type `NoneType`"),
        ({Custom(): 3}, "returned a `Custom`, which is not JSON"),
        ("\ud800", "a `str` with a lone surrogate"),
        ({"\udfff": 1}, "a `str` with a lone surrogate"),
        ({"\udfff": math.nan}, "a `str` with a lone surrogate"),
        ({"\udfff": Custom()}, "a `str` with a lone surrogate"),
        (circular, "a `list` that contains itself or is nested too deeply"),
        ([Custom(), circular], "returned a `Custom`, which is not JSON"),
        ([10**5000], "a `list` that cannot become JSON (ValueError: Exceeds the limit"),
        (Exploding(), "a `Exploding` that cannot become JSON (LookupError: nothing here)"),
        ([Custom(), Exploding()], "returned a `Custom`"),
    ],
)
def test_an_output_that_is_not_json_names_its_type(value: object, such: str) -> None:
    with pytest.raises(OutputError) as caught:
        encode_output(value)

    assert such in str(caught.value)


@pytest.mark.parametrize("error", [MemoryError(), TimeoutError("too late"), ConnectionError("no such host")])
def test_what_is_not_about_the_output_is_raised_unchanged(error: Exception) -> None:
    class Remote(int):
        def __int__(self) -> int:
            raise error

    with pytest.raises(type(error)):
        encode_output(Remote())


def test_a_forgotten_await_is_reported() -> None:
    with pytest.raises(OutputError, match=r"returned a `coroutine`.*: await it, or declare predict with `async def`"):
        encode_output(coroutine())


def test_messages_can_be_written_as_utf8() -> None:
    with pytest.raises(OutputError) as caught:
        encode_output([{"\udfff": 1, "a": Custom()}, Custom()])

    assert str(caught.value).encode()


class Nested(pydantic.BaseModel):
    inner: object = None


def test_deeply_nested_models_are_written_at_once() -> None:
    value = Nested(inner=[None, 1.5])
    for _ in range(50):  # with the work doubled at each level, for ever
        value = Nested(inner=value)

    assert encode_output(value) == b'{"inner":' * 51 + b"[null,1.5]" + b"}" * 51


def test_the_cause_in_deeply_nested_models_is_found_at_once() -> None:
    value = Nested(inner=Custom())
    for _ in range(50):  # with the work doubled at each level, for ever
        value = Nested(inner=value)
    with pytest.raises(OutputError, match="returned a `Custom`"):
        encode_output(value)
    value.inner = value
    with pytest.raises(OutputError):
        encode_output(value)
