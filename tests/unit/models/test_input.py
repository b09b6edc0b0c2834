"""JSON bytes as the type that the model asks for."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from tests.unit.models.kinds import Address, Box, Cat, Colour, Customer, Dog, Level, Order, Pair, Person, taking
from zypher.errors import InvalidInput
from zypher.models.libraries import adapter


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (str, b'"text"', "text"),
        (int, b"3", 3),
        (int, b"3.0", 3),
        (int, b"1e2", 100),
        (int, b"-0.0", 0),
        (list[int], b"[1, 2.0]", [1, 2]),
        (dict[int, int], b'{"1": 2.0}', {1: 2}),
        (float, b"3", 3.0),
        (Literal[1, 2], b"2.0", 2),
        (Level, b"2.0", Level.HIGH),
        (tuple[int, str], b'[1.0, "a"]', (1, "a")),
        (set[int], b"[1, 2, 2]", {1, 2}),
        (None, b"null", None),
        (bool | None, b"null", None),
        (Colour, b'"red"', Colour.RED),
        (Box, b'{"width": 1}', {"width": 1}),
        (Pair, b"[1]", Pair(1)),
        (Person, b'{"name": "Ada", "friends": [{"name": "Bob"}]}', Person("Ada", None, [Person("Bob")])),
        (Cat | Dog, b'{"type": "Cat", "lives": 9.0}', Cat(9)),
        (dt.date, b'"2024-02-29"', dt.date(2024, 2, 29)),
        (Decimal, b'"1.10"', Decimal("1.10")),
        (bytes, b'"aGk="', b"hi"),
        (Address, b'{"street": "Main", "number": 1.0}', Address(street="Main", number=1)),
        (Order, b'{"customer": {"name": "x"}, "amounts": {"a": 1.0}}', Order(Customer(name="x"), {"a": 1})),
        (Any, b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        (list[object], b'[1, "a"]', [1, "a"]),
    ],
)
def test_an_input_is_decoded_to_its_type(kind: object, raw: bytes, value: object) -> None:
    decoded = taking(kind).decode_input(raw)

    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "message"),
    [
        (int, b'"a"', "$.input: expected `int`, got `str`."),
        (int, b"3.5", "$.input: expected `int`, got `float`."),
        (str, b"null", "$.input: expected `str`, got `null`."),
        (list[Person], b'[{"name": "a"}, {"name": 1}]', "$.input[1].name: expected `str`, got `int`."),
        (Person, b"{}", "$.input: object missing required field `name`."),
        (dict[int, int], b'{"x": 1}', "$.input: expected `int`, got `str`."),
        (Address, b'{"street": 1, "number": 1}', "$.input.street must be a string."),
        (
            Order,
            b'{"customer": {"name": "", "addresses": [{}]}}',
            "$.input.customer.addresses[0] must contain `street`.",
        ),
        (list[Address], b"[7]", "$.input[0] must be an object."),
        (Annotated[str, msgspec.Meta(max_length=1)], b'"ab"', "$.input: expected `str` of length <= 1."),
        (float, b"1e999", "$.input: number out of range."),
        (set[Any], b"[[1]]", "$.input is refused by the model's input type: TypeError: unhashable type: 'list'."),
        (Any, b"[" * 100_000 + b"]" * 100_000, "$.input is nested too deeply: send a flatter one."),
    ],
)
def test_an_input_of_another_type_is_refused_with_its_path(kind: object, raw: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        taking(kind).decode_input(raw)

    assert str(caught.value) == message


@dataclass
class CheckedSchema:
    size: int

    def __post_init__(self) -> None:
        if self.size > 10:
            raise ValueError("size must be at most 10")
        if self.size < 0:
            raise KeyError("size")


class Validated(pydantic.BaseModel):
    size: int

    @pydantic.field_validator("size")
    @classmethod
    def check(cls, size: int) -> int:
        if size < 0:
            raise KeyError("size")
        return size


@pytest.mark.parametrize(
    ("kind", "raw", "message"),
    [
        (CheckedSchema, b'{"size": 11}', "$.input: size must be at most 10."),
        (CheckedSchema, b'{"size": -1}', "$.input is refused by the model's input type: KeyError: 'size'."),
        (Validated, b'{"size": -1}', "$.input is refused by the model's input type: KeyError: 'size'."),
    ],
)
def test_the_user_s_own_checks_refuse_as_well(kind: object, raw: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        taking(kind).decode_input(raw)

    assert str(caught.value) == message


@pytest.mark.parametrize("error", [MemoryError(), TimeoutError("too late"), ConnectionError("no such host")])
def test_what_is_not_about_the_input_does_not_refuse_it(error: Exception) -> None:
    @dataclass
    class Checked:
        def __post_init__(self) -> None:
            raise error

    with pytest.raises(type(error)):
        taking(Checked).decode_input(b"{}")


def test_an_unsupported_library_is_ignored() -> None:
    assert adapter("absent") is None
