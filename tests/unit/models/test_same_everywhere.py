"""A value is the same JSON, or the same failure, wherever it stands in an output."""

import datetime as dt
import math
import re
from collections import UserDict, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import msgspec
import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.dataclasses import dataclass as pydantic_dataclass

from zypher.errors import OutputError
from zypher.models.output import OutputEncoder

pandas: Any = import_module("pandas")
encode = OutputEncoder().encode
encode_with_nulls = OutputEncoder(nan_is_null=True).encode

CONFIG = pydantic.ConfigDict(arbitrary_types_allowed=True)


@attrs.define
class OfAttrs:
    x: object


@dataclass
class Record:
    x: object


class Struct(msgspec.Struct):
    x: object


class Named(NamedTuple):
    x: object


class Model(pydantic.BaseModel):
    x: Any


class Typed(pydantic.BaseModel):
    x: list[Any]


class OfDict(pydantic.BaseModel):
    x: dict[str, Any]


class Extra(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")


class Computed(pydantic.BaseModel):
    model_config = CONFIG

    _held: Any = None

    @pydantic.computed_field
    @property
    def x(self) -> Any:
        return self._held


class Serialized(pydantic.BaseModel):
    x: Any

    @pydantic.field_serializer("x")
    def written(self, x: Any) -> Any:
        return x


class Whole(pydantic.BaseModel):
    y: Any

    @pydantic.model_serializer
    def written(self) -> dict[str, Any]:
        return {"x": self.y}


class Dumped(pydantic.BaseModel):
    x: Any

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"x": self.x}


@pydantic_dataclass(config=CONFIG)
class OfPydantic:
    x: Any


class Tensor:
    def __init__(self, x: object) -> None:
        self.x = x

    def tolist(self) -> list[object]:
        return [self.x]


def computed(value: object) -> Computed:
    made = Computed()
    made._held = value  # pyright: ignore[reportPrivateUsage]  # the only way to give a computed field any value
    return made


def object_array(value: object) -> Any:
    array = np.empty(1, dtype=object)
    array[0] = value
    return array


def record_array(value: object) -> Any:
    array = np.empty(1, dtype=[("x", object)])
    array["x"] = object_array(value)
    return array


def frame(value: object) -> object:
    return pandas.DataFrame({"x": pandas.Series(object_array(value), dtype=object)})


AROUND: dict[str, tuple[Callable[[Any], object], bytes]] = {
    "list": (lambda value: [value], b"[%s]"),
    "tuple": (lambda value: (1, value), b"[1,%s]"),
    "dict": (lambda value: {"x": value}, b'{"x":%s}'),
    "deque": (lambda value: deque([value]), b"[%s]"),
    "mapping": (lambda value: UserDict(x=value), b'{"x":%s}'),
    "proxy": (lambda value: MappingProxyType({"x": value}), b'{"x":%s}'),
    "dataclass": (Record, b'{"x":%s}'),
    "attrs": (OfAttrs, b'{"x":%s}'),
    "struct": (Struct, b'{"x":%s}'),
    "named tuple": (Named, b"[%s]"),
    "tensor": (Tensor, b"[%s]"),
    "object array": (object_array, b"[%s]"),
    "record array": (record_array, b'[{"x":%s}]'),
    "frame": (frame, b'[{"x":%s}]'),
    "series": (lambda value: pandas.Series(object_array(value), dtype=object), b"[%s]"),
    "model": (lambda value: Model(x=value), b'{"x":%s}'),
    "list in a model": (lambda value: Typed(x=[value]), b'{"x":[%s]}'),
    "dict in a model": (lambda value: OfDict(x={"y": value}), b'{"x":{"y":%s}}'),
    "root model": (pydantic.RootModel[Any], b"%s"),
    "extra field": (lambda value: Extra.model_validate({"x": value}), b'{"x":%s}'),
    "computed field": (computed, b'{"x":%s}'),
    "serialized field": (lambda value: Serialized(x=value), b'{"x":%s}'),
    "serialized model": (lambda value: Whole(y=value), b'{"x":%s}'),
    "dumped model": (lambda value: Dumped(x=value), b'{"x":%s}'),
    "pydantic's dataclass": (lambda value: OfPydantic(x=value), b'{"x":%s}'),
    "model in a dataclass in a model": (lambda value: Model(x=Record(Model(x=[value]))), b'{"x":{"x":{"x":[%s]}}}'),
}


class Colour(Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


NAN, INF = math.nan, math.inf
DAY = dt.date(2024, 1, 2)
HOUR = dt.timedelta(hours=1)
SCALARS: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    2**70,
    1.5,
    1e300,
    NAN,
    -INF,
    "ä",
    "a\0",
    "\ud800",
    b"a\xff",
    bytearray(b"a"),
]
OF_PYTHON: list[Any] = [
    *[Decimal("1.50"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Fraction(1, 2), 1j],
    *[DAY, HOUR, dt.time(3, 4), UUID(int=1), Colour.RED, {1}, Text("a"), range(2), object],
    *[msgspec.Raw(b'{"a":[1]}'), msgspec.Raw(b"[NaN]"), msgspec.Raw(b"{bad"), Record(b"a"), Struct(DAY)],
]
OF_LIBRARIES: list[Any] = [
    *[np.float32(0.5), np.float64(NAN), np.bool_(True), np.int8(1), np.complex64(1), np.str_("a\0"), np.bytes_(b"a\0")],
    *[np.array([1, 2]), np.array([NAN]), np.array("a"), np.zeros(1, dtype=[("a", "i4"), ("b", "U1")])],
    *[np.datetime64("2024-01-02"), np.datetime64("NaT")],
    *[np.timedelta64(90, "s"), np.timedelta64(1, "ns"), np.timedelta64(5, "M")],
    *[pandas.NA, pandas.NaT, pandas.Timestamp(1), pandas.Timestamp(1000), pandas.Series([1.5])],
    *[pandas.Timedelta(1, "ns"), pandas.Timedelta(1, "s")],
    *[pydantic.SecretStr("a"), pydantic.HttpUrl("http://a.b"), Model(x=1), Model(x=NAN)],
]
VALUES = SCALARS + OF_PYTHON + OF_LIBRARIES
KEYS: list[Any] = [
    *["a", 1, 1.5, 1e22, True, None, (1, 2), frozenset([1]), b"a\xff", NAN, -INF, Decimal("1.50"), Decimal("NaN")],
    *[DAY, HOUR, Colour.RED, UUID(int=1), Text("a"), object],
    *[np.str_("a\0"), np.int64(1), np.float32(0.5), np.float32(NAN), np.bool_(True)],
    *[pandas.Timestamp(1000), pandas.Timedelta(1, "s"), pandas.NaT],
]


def shown(value: object) -> str:
    return f"{type(value).__name__} {bytes(value) if isinstance(value, msgspec.Raw) else value!r}"


def outcome(value: object, encode: Callable[[object], bytes] = encode) -> bytes | str:
    """The JSON of a value, or what is wrong with it, without the place."""
    try:
        return encode(value)
    except OutputError as error:
        sentence = re.sub(r" at `[^`]*`|,", "", str(error)).replace("a `Decimal`", "a `float`").lower()
        sentence = re.sub(r"a `[^`]*` that cannot become json .*", "what cannot become json", sentence)
        return re.sub(r"s?nan|infinity", lambda word: word[0][-3:].replace("ity", "inf"), sentence)


def expected(value: object, around: bytes, encode: Callable[[object], bytes] = encode) -> bytes | str:
    alone = outcome(value, encode)
    return around.replace(b"%s", alone) if isinstance(alone, bytes) else alone


@pytest.mark.parametrize("value", VALUES, ids=shown)
@pytest.mark.parametrize("encode", [encode, encode_with_nulls], ids=["", "nan is null"])
def test_a_value_is_the_same_in_each_container(value: Any, encode: Callable[[object], bytes]) -> None:
    for name, (put, around) in AROUND.items():
        assert (name, outcome(put(value), encode)) == (name, expected(value, around, encode))


class AnyKeys(pydantic.BaseModel):
    x: dict[Any, int]


class Keys(pydantic.BaseModel):
    x: Mapping[Any, int]


class Defaults(pydantic.BaseModel):
    x: defaultdict[Any, int]


DICTS: dict[str, tuple[Callable[[Any], object], bytes]] = {
    **AROUND,
    "dict of a model": (lambda value: AnyKeys(x=value), b'{"x":%s}'),
    "mapping of a model": (lambda value: Keys(x=value), b'{"x":%s}'),
    "defaultdict of a model": (lambda value: Defaults(x=defaultdict(int, value)), b'{"x":%s}'),
}


@pytest.mark.parametrize("key", KEYS, ids=shown)
def test_a_key_is_the_same_in_each_container(key: Any) -> None:
    value = {"first": 1, key: 2}

    for name, (put, around) in DICTS.items():
        assert (name, outcome(put(value))) == (name, expected(value, around))


@pytest.mark.parametrize("key", [1, 1.5, DAY, Colour.RED, UUID(int=1), b"a", Decimal(1), np.int64(1)], ids=shown)
def test_equal_keys_are_an_error_in_each_container(key: Any) -> None:
    text = next(iter(msgspec.json.decode(encode({key: 1}), type=dict[str, int])))

    for put, _ in DICTS.values():
        assert "keys are equal once they are texts" in str(outcome(put({key: 1, text: 2})))


def put_in(container: str, value: object) -> object:
    return AROUND[container][0](value)


def nested_values() -> st.SearchStrategy[object]:
    keys = st.one_of(st.text(max_size=2), st.sampled_from([1, 1.5, DAY, Colour.RED, None, NAN]))

    def around(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
        put = st.builds(put_in, st.sampled_from(list(AROUND)), inner)
        return st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3), put)

    return st.recursive(st.sampled_from(VALUES), around, max_leaves=4)


@given(nested_values(), st.sampled_from(list(AROUND)))
def test_what_is_nested_is_the_same_in_each_container(value: object, container: str) -> None:
    put, around = AROUND[container]
    alone, inside = outcome(value), outcome(put(value))

    if isinstance(alone, bytes):
        assert inside == around.replace(b"%s", alone)
    else:
        assert isinstance(inside, str)
