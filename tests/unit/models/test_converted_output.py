"""Values of other libraries and of subclasses, as JSON: what becomes of them, and what would be lost."""

import array
import datetime as dt
import math
from collections import ChainMap, OrderedDict, UserDict, UserList, deque
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

import msgspec
import numpy as np
import pydantic
import pytest

from tests.unit.models.kinds import giving
from zypher.errors import OutputError
from zypher.models.output import OutputEncoder

encode = OutputEncoder().encode
encode_with_nulls = OutputEncoder(nan_is_null=True).encode


def refusal(value: object) -> str:
    with pytest.raises(OutputError) as caught:
        encode(value)
    return str(caught.value)


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not what it is"


class Blob(bytes): ...


class Bytes(bytearray): ...


class Instant(dt.datetime): ...


class Day(dt.date): ...


class Hour(dt.time): ...


class Span(dt.timedelta):
    @property
    def days(self) -> int:  # as pendulum's, which counts months
        return -1


class Money(Decimal): ...


class Id(UUID): ...


class Tensor:
    def tolist(self) -> list[object]:
        return [1.5, [2]]


CONVERTED: list[tuple[object, str]] = [
    (Text("a"), '"a"'),
    (Blob(b"hi"), '"aGk="'),
    (Bytes(b"hi"), '"aGk="'),
    (memoryview(b"hi"), '"aGk="'),
    (Instant(2024, 1, 2, tzinfo=dt.UTC), '"2024-01-02T00:00:00Z"'),
    (Day(2024, 1, 2), '"2024-01-02"'),
    (Hour(3, 4), '"03:04:00"'),
    (Span(1), '"P1D"'),
    (Money("1.50"), '"1.50"'),
    (Id(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (UserDict(a=1), '{"a":1}'),
    (OrderedDict(a=1), '{"a":1}'),
    (ChainMap({"a": 1}, {"b": 2}), '{"b":2,"a":1}'),
    (MappingProxyType({"a": Text("b")}), '{"a":"b"}'),
    (UserList([1, Text("b")]), '[1,"b"]'),
    (deque([1]), "[1]"),
    (range(3), "[0,1,2]"),
    ({"a": 1}.keys(), '["a"]'),
    ({"a": 1}.values(), "[1]"),
    ({"a": 1}.items(), '[["a",1]]'),
    (array.array("d", [1.5]), "[1.5]"),
    (Tensor(), "[1.5,[2]]"),
    ({"scores": [Tensor()]}, '{"scores":[[1.5,[2]]]}'),
    ({Day(2024, 1, 2): {Text("a"): 1}}, '{"2024-01-02":{"a":1}}'),
    ({"a": msgspec.Raw(b"[1, 2]")}, '{"a":[1, 2]}'),
    ({"a": "NaN and Infinity, null"}, '{"a":"NaN and Infinity, null"}'),
    ([{"nan": 1}, {1: 2}], '[{"nan":1},{"1":2}]'),
]


@pytest.mark.parametrize(("value", "encoded"), CONVERTED)
def test_a_value_becomes_what_it_derives_from_or_lists(value: object, encoded: str) -> None:
    assert encode(value) == encoded.encode()
    assert encode_with_nulls(value) == encoded.encode()


class Colour(Enum):
    RED = "red"


@dataclass
class Holder:
    held: object


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({1: "int", "1": "str"}, "1"),
        ({"1": "str", 1: "int"}, "1"),
        ({"a": 1, "2": 2, "b": 3, 2: 4}, "2"),
        ({1.0: 1, "1.0": 2}, "1.0"),
        ({np.int64(1): 1, "1": 2}, "1"),
        ([{"deep": ({Colour.RED: 1, "red": 2},)}], "red"),
        (Holder({1: 1, "1": 2}), "1"),
        (UserDict({1: 1, "1": 2}), "1"),
        ({"a": {"b": {UUID(int=1): 1, str(UUID(int=1)): 2}}}, str(UUID(int=1))),
    ],
)
def test_keys_that_are_equal_as_texts_are_an_error(value: object, key: str) -> None:
    assert f"keys are equal once they are texts, as in JSON: `{key}`" in refusal(value)


@pytest.mark.parametrize(
    ("value", "such"),
    [
        (Decimal("NaN"), "NaN, a `Decimal`, at `$`"),
        ([1, Decimal("NaN")], "NaN, a `Decimal`, at `$[1]`"),
        ({"a": [Decimal("-Infinity")]}, "-Infinity, a `Decimal`, at `$.a[0]`"),
        (Holder(Decimal("sNaN1")), "sNaN1, a `Decimal`, at `$.held`"),
        ({math.nan: 1}, "the key nan, a `float`, at `$`"),
        ([{np.float32("inf"): 1}], "the key inf, a `float`, at `$[0]`"),
        ({"a": {Decimal("NaN"): 1}}, "the key NaN, a `Decimal`, at `$.a`"),
    ],
)
def test_a_decimal_or_key_must_be_finite(value: object, such: str) -> None:
    assert such in refusal(value)


@pytest.mark.parametrize("text", [b"{bad", b"", b"[NaN]", b"1.2.3", b'"\xff"', b'"\\ud800"', b"1 2"])
def test_raw_text_that_is_not_json_is_an_error(text: bytes) -> None:
    for value in (msgspec.Raw(text), [1, msgspec.Raw(text)], {"a": msgspec.Raw(text)}, Holder(msgspec.Raw(text))):
        assert "The model returned" in refusal(value)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ([1.0, math.nan, None, -math.inf], "[1.0,null,null,null]"),
        ({"a": Decimal("NaN"), "b": [Decimal("1.10")]}, '{"a":null,"b":["1.10"]}'),
        (np.array([[1.5, np.nan]]), "[[1.5,null]]"),
        (np.array(["NaT"], dtype="datetime64[s]"), "[null]"),
        (Holder(np.float32("inf")), '{"held":null}'),
    ],
)
def test_nan_and_infinities_become_null_on_request(value: object, encoded: str) -> None:
    assert encode_with_nulls(value) == encoded.encode()


@pytest.mark.parametrize("value", [{math.nan: 1}, {Decimal("NaN"): 1}, {1: 1, "1": 2}, msgspec.Raw(b"{bad")])
def test_what_null_cannot_replace_stays_an_error(value: object) -> None:
    with pytest.raises(OutputError):
        encode_with_nulls(value)


class Inner(pydantic.BaseModel):
    data: bytes = b"\xff\xfe"
    score: float = 1.0


class Report(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", arbitrary_types_allowed=True)

    any: Any = None
    array: np.ndarray[Any, Any] | None = None
    inner: Inner = Inner()
    items: list[Any] = []
    amount: Decimal | None = None
    renamed: int = pydantic.Field(1, alias="Renamed")

    @pydantic.field_serializer("renamed", when_used="json")
    def in_words(self, value: int) -> object:
        return {"n": value, "raw": b"\xff\xfe"}

    @pydantic.computed_field
    @property
    def computed(self) -> Any:
        return np.float32(0.5)


REPORT: dict[str, object] = {
    "any": None,
    "array": None,
    "inner": {"data": "//4=", "score": 1.0},
    "items": [],
    "amount": None,
    "Renamed": {"n": 1, "raw": "//4="},
    "computed": 0.5,
}


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({}, {}),
        ({"any": np.float32(1.5)}, {"any": 1.5}),
        ({"any": b"\xff\xfe"}, {"any": "//4="}),
        ({"any": {"deep": [Tensor(), Inner()]}}, {"any": {"deep": [[1.5, [2]], {"data": "//4=", "score": 1.0}]}}),
        ({"array": np.array([1, 2])}, {"array": [1, 2]}),
        ({"items": [np.int8(1), b"a", Text("t")]}, {"items": [1, "YQ==", "t"]}),
        ({"amount": Decimal("1.50")}, {"amount": "1.50"}),
        ({"more": b"\xff"}, {"more": "/w=="}),
        ({"any": pydantic.HttpUrl("http://a.b")}, {"any": "http://a.b/"}),
    ],
)
def test_a_pydantic_model_is_written_with_values_of_any_library(
    fields: dict[str, Any], written: dict[str, object]
) -> None:
    report = Report(**fields)

    for value, around in [(report, "{}"), ([report], "[{}]"), (Holder(report), '{{"held":{}}}')]:
        expected = around.format(msgspec.json.encode(REPORT | written).decode())
        assert msgspec.json.decode(encode(value)) == msgspec.json.decode(expected)


def test_an_array_assigned_to_a_typed_field_is_written() -> None:
    inner = Inner()
    inner.score = np.array([1.5, 2])  # pyright: ignore[reportAttributeAccessIssue]  # as careless models do

    assert encode(inner) == b'{"data":"//4=","score":[1.5,2.0]}'


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Inner(score=math.nan), "$.score"),
        (Report(any=[1.0, math.nan], Renamed=2), "$.any[1]"),
        ([Holder(Inner(score=-math.inf))], "$[0].held.score"),
        (pydantic.RootModel[list[float]]([math.nan]), "$[0]"),
    ],
)
def test_nan_in_a_pydantic_model_is_an_error_or_null(value: object, path: str) -> None:
    assert f"at `{path}`" in refusal(value)
    assert b"null" in encode_with_nulls(value)


class Configured(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(ser_json_bytes="hex", ser_json_inf_nan="strings")

    data: bytes = b"\xff"
    score: float = math.nan


def test_a_pydantic_model_that_is_configured_is_written_so() -> None:
    assert encode([Configured()]) == b'[{"data":"ff","score":"NaN"}]'


class Nulls(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(ser_json_inf_nan="null")

    scores: list[float] = [math.nan, 1.5]


def test_a_pydantic_model_may_have_null_for_nan() -> None:
    assert encode({"a": Nulls()}) == b'{"a":{"scores":[null,1.5]}}'


Place = Annotated[tuple[int, int], pydantic.PlainSerializer(lambda place: f"{place[0]}/{place[1]}")]


class Keys(pydantic.BaseModel):
    days: dict[dt.date, float] = {dt.date(2024, 1, 2): 1.5}
    colours: dict[Colour, dict[int, bytes]] = {Colour.RED: {1: b"hi"}}
    places: dict[Place, int] = {(1, 2): 3}


def test_keys_of_a_pydantic_model_are_written_as_elsewhere() -> None:
    assert encode(Keys()) == b'{"days":{"2024-01-02":1.5},"colours":{"red":{"1":"aGk="}},"places":{"1/2":3}}'


class Wrapped(pydantic.BaseModel):
    held: Any

    @pydantic.model_serializer(mode="wrap")
    def written(self, handler: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**handler(self), "more": 1}


def test_what_a_wrapping_serializer_holds_is_written_or_named() -> None:
    assert encode(Wrapped(held=np.int8(1))) == b'{"held":1,"more":1}'
    assert "returned a `object`" in refusal(Wrapped(held=[object()]))


class Encoded(pydantic.BaseModel):
    data: pydantic.Base64Bytes


def test_bytes_that_pydantic_encodes_are_encoded_once() -> None:
    assert encode(Encoded.model_validate({"data": "aGk="})) == b'{"data":"aGk="}'


class ConfiguredData(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(ser_json_bytes="hex")

    data: bytes


class Data(pydantic.BaseModel):
    data: bytes


class Properties(msgspec.Struct):
    properties: dict[str, dict[str, object]]


@pytest.mark.parametrize(("kind", "encoding"), [(Data, "base64"), (ConfiguredData, None)])
def test_the_schema_of_an_output_has_the_encoding_of_bytes(kind: type, encoding: str | None) -> None:
    component = msgspec.convert(giving(kind).card.components[kind.__name__], Properties)

    assert component.properties["data"].get("contentEncoding") == encoding


def test_equal_keys_in_a_pydantic_model_are_an_error() -> None:
    assert "`1`" in refusal(Report(any={1: 1, "1": 2}, Renamed=2))


class Secretive(pydantic.BaseModel):
    shown: int = 1
    hidden: int = 2

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"shown": self.shown}


def test_a_models_own_dump_is_what_is_written() -> None:
    assert encode(Secretive()) == b'{"shown":1}'


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (pydantic.HttpUrl("http://a.b"), '"http://a.b/"'),
        (pydantic.SecretStr("secret"), '"**********"'),
        (pydantic.ByteSize(5), "5"),
    ],
)
def test_pydantics_other_types_are_written_as_pydantic_does(value: object, encoded: str) -> None:
    assert encode({"value": value}) == f'{{"value":{encoded}}}'.encode()


class Late(pydantic.BaseModel):
    @pydantic.computed_field
    @property
    def value(self) -> int:
        raise TimeoutError("too late")


def test_what_a_pydantic_model_raises_beside_its_values_is_unchanged() -> None:
    with pytest.raises(TimeoutError, match="too late"):
        encode([Late()])


@pytest.mark.parametrize(
    "value", [{"a": 1, "b": [0.5, None]}, [{"a": i} for i in range(50)], Holder([1.5, Colour.RED]), [1.5] * 50]
)
def test_a_usual_output_is_not_looked_at_again(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zypher.models.output.decode_unique", None)

    assert encode(value)
