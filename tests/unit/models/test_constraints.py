"""Constraints in type hints are enforced and described, whoever's words they are in."""

import dataclasses
import datetime as dt
import subprocess
import sys
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypedDict, TypeVar

import annotated_types as at
import msgspec
import pydantic
import pytest

from tests.unit.models import pydantic_kinds as kinds
from tests.unit.models.kinds import Address, taking
from zypher.errors import InvalidInput, TargetError
from zypher.models.loader import load
from zypher.models.model import LoadedModel
from zypher.models.user_model import user_model_of


@dataclasses.dataclass
class Counted:
    n: Annotated[int, at.Ge(0)] = 0
    more: "list[Counted]" = dataclasses.field(default_factory=list["Counted"])


class Sized(TypedDict):
    n: Annotated[list[Annotated[int, at.Gt(0)]], at.MinLen(1)]


class Placed(NamedTuple):
    n: Annotated[int | None, at.Interval(ge=0, lt=5)] = 1


class Named(msgspec.Struct):
    n: Annotated[str, at.Len(1, 2)] = "a"


class Filled(TypedDict):
    n: Annotated[int, pydantic.Field(ge=0, description="How many.")]


class Held(msgspec.Struct):
    n: Annotated[int, pydantic.Field(ge=0)]
    renamed: kinds.Renamed | None = None


@dataclasses.dataclass
class Addressed:
    address: Address
    n: pydantic.PositiveInt
    data: bytes = b""


T = TypeVar("T")


@dataclasses.dataclass
class Crate(Generic[T]):
    item: T
    n: Annotated[int, at.Ge(0)]


@dataclasses.dataclass
class Noted:
    checked: ClassVar[Annotated[str, at.Predicate(str.isalpha)]] = "a"
    n: Annotated[int, at.Ge(0)] = 0


@dataclasses.dataclass
class Priced:
    price: Annotated[Decimal, at.Ge(1)]


ENFORCED: list[tuple[Any, str, str]] = [
    (Annotated[int, at.Ge(0)], "0", "-1"),
    (Annotated[int, at.Gt(0), at.Le(3)], "3", "4"),
    (Annotated[float, at.Lt(1)], "0.5", "1"),
    (Annotated[int, at.MultipleOf(2)], "4", "3"),
    (Annotated[str, at.MaxLen(1)], '"a"', '"ab"'),
    (Annotated[int | None, at.Ge(0)], "null", "-1"),
    (Annotated[list[pydantic.PositiveInt], pydantic.Field(min_length=1)], "[1]", "[]"),
    (list[pydantic.PositiveInt], "[1]", "[0]"),
    (dict[str, Annotated[int, at.Ge(0)]], '{"a": 0}', '{"a": -1}'),
    (Annotated[dt.datetime, at.Timezone(...)], '"2024-01-01T00:00:00Z"', '"2024-01-01T00:00:00"'),
    (Counted, '{"more": [{"n": 1}]}', '{"more": [{"n": -1}]}'),
    (Crate[int], '{"item": 1, "n": 0}', '{"item": 1, "n": -1}'),
    (Noted, '{"n": 0}', '{"n": -1}'),
    (Sized, '{"n": [1]}', '{"n": [0]}'),
    (Placed, "[4]", "[5]"),
    (Named, '{"n": "ab"}', '{"n": "abc"}'),
    (Filled, '{"n": 0}', '{"n": -1}'),
    (Held, '{"n": 0, "renamed": {"txt": "a"}}', '{"n": -1}'),
    (
        Addressed,
        '{"address": {"street": "a", "number": 1}, "n": 1}',
        '{"address": {"street": "a", "number": 1}, "n": 0}',
    ),
    (pydantic.PositiveInt, "1", "0"),
    (pydantic.conint(ge=1), "1", "0"),
    (pydantic.constr(pattern="^a$"), '"a"', '"b"'),
    (pydantic.StrictInt, "1", '"1"'),
    (Annotated[int, pydantic.Field(ge=0)], "0", "-1"),
    (Annotated[Decimal, at.Ge(1)], '"1"', '"0.5"'),
    (Priced, '{"price": 1}', '{"price": 0.5}'),
    (kinds.Odd, '{"n": 3}', '{"n": 4}'),
    (kinds.Basket, '{"odd": {"n": 1}, "count": 1}', '{"odd": {"n": 1}, "count": 0}'),
    (kinds.Basket, '{"odd": {"n": 1}, "more": []}', '{"odd": {"n": 1}, "more": [{"odd": {"n": 2}}]}'),
    (Annotated[str, pydantic.AfterValidator(kinds.lower)], '"a"', '"A"'),
    (Annotated[str, at.Predicate(str.isalpha)], '"a"', '"1"'),
]


@pytest.mark.parametrize(("kind", "right", "wrong"), ENFORCED)
def test_a_constraint_is_enforced(kind: Any, right: str, wrong: str) -> None:
    model = taking(kind)
    model.decode_input(right.encode())

    with pytest.raises(InvalidInput):
        model.decode_input(wrong.encode())


@pytest.mark.parametrize(
    ("kind", "described"),
    [
        (Annotated[int, at.Ge(0)], {"type": "integer", "minimum": 0}),
        (pydantic.PositiveInt, {"type": "integer", "exclusiveMinimum": 0}),
        (Annotated[int, pydantic.Field(ge=0, title="N")], {"title": "N", "type": "integer", "minimum": 0}),
        (pydantic.constr(pattern="^a$"), {"type": "string", "pattern": "^a$"}),
        (
            Annotated[list[pydantic.PositiveInt], pydantic.Field(min_length=1)],
            {"type": "array", "items": {"type": "integer", "exclusiveMinimum": 0}, "minItems": 1},
        ),
    ],
)
def test_a_constraint_is_in_the_schema(kind: Any, described: dict[str, object]) -> None:
    assert taking(kind).card.input_schema == described


@pytest.mark.parametrize(
    ("kind", "described"),
    [
        (Filled, {"description": "How many.", "type": "integer", "minimum": 0}),
        (Held, {"type": "integer", "minimum": 0}),
        (Named, {"type": "string", "minLength": 1, "maxLength": 2, "default": "a"}),
        (kinds.Odd, {"type": "integer", "minimum": 0, "default": 5, "title": "N"}),
    ],
)
def test_a_constraint_on_a_field_is_in_the_schema(kind: type, described: dict[str, object]) -> None:
    component = taking(kind).card.components[kind.__name__]

    assert msgspec.convert(component, Described).properties["n"] == described


class Described(msgspec.Struct):
    properties: dict[str, object]


class Strictly(msgspec.Struct):
    n: pydantic.StrictInt


class CheckedSchema(msgspec.Struct):
    n: Annotated[str, at.Predicate(str.isalpha)]


class Odds(msgspec.Struct):
    odd: kinds.Odd


class Mixed(pydantic.BaseModel):
    n: Annotated[int, msgspec.Meta(ge=0)]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Strictly, "`Strict(strict=True)` is enforced by pydantic alone"),
        (CheckedSchema, "`Predicate(str.isalpha)` is enforced by pydantic alone"),
        (Odds, "`Odd` is enforced by pydantic alone"),
        (Mixed, "`msgspec.Meta(ge=0)` is enforced by msgspec alone"),
        (list[Mixed], "`msgspec.Meta(ge=0)` is enforced by msgspec alone"),
        (Annotated[Named, at.Ge(0)], "`ge=0` is nothing that msgspec enforces on a `Named`"),
    ],
)
def test_an_unenforced_constraint_is_refused(kind: Any, reason: str) -> None:
    with pytest.raises(TargetError) as caught:
        taking(kind)

    assert reason in str(caught.value)
    assert str(caught.value).endswith(": use `pydantic.Field` in a pydantic model or dataclass, or `msgspec.Meta`.")


WITHOUT_PYDANTIC = """
import sys
from typing import Annotated
import annotated_types as at
from zypher.errors import InvalidInput, TargetError
from zypher.models.model import LoadedModel
from zypher.models.user_model import user_model_of

def positive(n: Annotated[int, at.Gt(0)]): return n
def alphabetic(n: Annotated[str, at.Predicate(str.isalpha)]): return n

try:
    LoadedModel(user_model_of(positive, "positive")).decode_input(b"0")
except InvalidInput as error:
    print(error)
try:
    LoadedModel(user_model_of(alphabetic, "alphabetic"))
except TargetError as error:
    print(error)
print("pydantic" in sys.modules)
"""


def test_without_pydantic_what_msgspec_has_no_word_for_is_refused() -> None:
    said = subprocess.run([sys.executable, "-c", WITHOUT_PYDANTIC], capture_output=True, text=True, check=True).stdout

    positive, alphabetic, imported = said.splitlines()
    assert positive == "$.input: expected `int` >= 1."
    assert "`Predicate(str.isalpha)` is enforced by pydantic alone: use `pydantic.Field`" in alphabetic
    assert imported == "False"


def test_a_refused_hint_leaves_its_classes_as_they_were() -> None:
    @dataclasses.dataclass
    class Both:
        n: Annotated[int, at.Ge(0)]
        text: Annotated[str, at.Predicate(str.isalpha)]

    before = dict(Both.__annotations__)
    taking(Both)

    assert Both.__annotations__ == before


def test_a_class_may_be_an_input_type_twice() -> None:
    card = taking(Counted).card
    annotations = dict(Counted.__annotations__)

    assert taking(Counted).card == card
    assert Counted.__annotations__ == annotations
    assert taking(kinds.Cat | Counted).card.input_schema != card.input_schema
    assert taking(kinds.Basket).card == taking(kinds.Basket).card


def test_bytes_beside_a_model_of_pydantic_stay_base64() -> None:
    raw = b'{"address": {"street": "a", "number": 1}, "n": 1, "data": "aGk="}'

    assert taking(Addressed).decode_input(raw) == Addressed(Address(street="a", number=1), 1, b"hi")


def test_a_field_as_the_default_of_the_parameter_is_enforced() -> None:
    def predict(n: int = pydantic.Field(ge=0)) -> int:
        return n

    model = LoadedModel(user_model_of(predict, "predict"))

    assert model.card.input_schema == {"type": "integer", "minimum": 0}
    with pytest.raises(InvalidInput):
        model.decode_input(b"-1")


def test_constraints_may_stand_in_postponed_annotations(write: Any) -> None:
    write(
        "postponed_constraints.py",
        """
        from __future__ import annotations
        import dataclasses
        from typing import Annotated
        import annotated_types as at
        import pydantic

        @dataclasses.dataclass
        class Plain:
            n: Annotated[int, at.Ge(0)]
            next: Plain | None = None

        class Model(pydantic.BaseModel):
            next: Model | None = None
            n: Annotated[int, pydantic.Field(ge=0)]

        def plain(value: Plain): return value.n
        def model(value: list[Model]): return value
        """,
    )

    for name, wrong in (("plain", b'{"n": 1, "next": {"n": -1}}'), ("model", b'[{"n": 1, "next": {"n": -1}}]')):
        with pytest.raises(InvalidInput, match=r"next\.n"):
            load(f"postponed_constraints.py:{name}").decode_input(wrong)
