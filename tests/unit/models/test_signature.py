"""Type hints as JSON Schema, and the hints that cannot be served."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID

import msgspec
import numpy as np
import pydantic
import pytest
from numpy.typing import NDArray

from tests.unit.models import pydantic_kinds as kinds
from tests.unit.models.kinds import Address, Box, Cat, Colour, Customer, Dog, Order, Person, Priced, giving, taking
from zypher.errors import TargetError
from zypher.models.loader import load
from zypher.models.model import LoadedModel
from zypher.models.user_model import user_model_of

Write = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (UUID, {"type": "string", "format": "uuid"}),
        (datetime, {"type": "string"}),
        (Annotated[str, msgspec.Meta(max_length=3)], {"type": "string", "maxLength": 3}),
        (Any, {}),
        (object, {}),
        (list[object], {"type": "array", "items": {"description": "Any JSON."}}),
        (Box, {"$ref": "#/components/schemas/Box"}),
    ],
)
def test_a_hint_is_a_schema_on_both_sides(kind: object, schema: dict[str, object]) -> None:
    assert taking(kind).card.input_schema == schema
    assert giving(kind).card.output_schema == schema


def test_no_hint_is_any_json() -> None:
    card = giving(object).card

    assert (card.input_schema, card.output_schema, card.components) == ({}, {}, {})


@pytest.mark.parametrize(
    ("kind", "names"), [(Person, {"Person"}), (Cat | Dog, {"Cat", "Dog"}), (Colour, {"Colour"}), (list[Box], {"Box"})]
)
def test_named_types_are_components(kind: object, names: set[str]) -> None:
    assert set(taking(kind).card.components) == names


def test_pydantic_models_are_components_with_what_they_refer_to() -> None:
    card = taking(Customer).card

    assert card.input_schema == {"$ref": "#/components/schemas/Customer"}
    assert set(card.components) == {"Customer", "Address"}
    assert card.components["Customer"] == {
        "title": "Customer",
        "description": "Whoever buys.",
        "type": "object",
        "properties": {
            "name": {"title": "Name", "type": "string"},
            "addresses": {
                "title": "Addresses",
                "type": "array",
                "items": {"$ref": "#/components/schemas/Address"},
                "default": [],
            },
            "kind": {"title": "Kind", "type": "string", "enum": ["person", "company"], "default": "person"},
        },
        "required": ["name"],
    }


@pytest.mark.parametrize("kind", [list[Customer], dict[str, Customer], Customer | None, Order])
def test_pydantic_models_may_be_inside_of_other_types(kind: object) -> None:
    assert {"Customer", "Address"} <= set(taking(kind).card.components)


def test_a_pydantic_output_is_described_as_it_is_written() -> None:
    properties = msgspec.convert(giving(Priced).card.components["Priced"], Described).properties

    assert set(properties) == {"net", "gross"}
    assert set(msgspec.convert(taking(Priced).card.components["Priced"], Described).properties) == {"net"}


class Described(msgspec.Struct):
    properties: dict[str, object]


def test_a_pydantic_model_and_another_type_may_have_one_name() -> None:
    @dataclass
    class Street:
        address: Address

    Street.__name__ = "Address"

    card = taking(Street).card

    assert set(card.components) == {"Address", "pydantic.Address"}
    assert card.input_schema == {"$ref": "#/components/schemas/Address"}
    assert msgspec.convert(card.components["Address"], Described).properties == {
        "address": {"$ref": "#/components/schemas/pydantic.Address"}
    }


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (kinds.Pet, {"Cat", "Dog"}),
        (kinds.Cat | kinds.Dog, {"Cat", "Dog"}),
        (list[kinds.Cat | kinds.Dog], {"Cat", "Dog"}),
        (kinds.Cat | str, {"Cat"}),
        (kinds.Basket, {"Basket", "Odd"}),
        (Person | Order, {"Person", "Order", "Customer", "Address"}),
    ],
)
def test_unions_and_dataclasses_of_pydantic_are_components_on_both_sides(kind: object, names: set[str]) -> None:
    assert set(taking(kind).card.components) == names
    assert set(giving(kind).card.components) == names


def test_a_discriminated_union_error_names_its_tag() -> None:
    assert taking(kinds.Pet).card.input_schema == {
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
        },
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
    }


def test_different_input_and_output_forms_are_two_components() -> None:
    def predict(thing: Priced | str) -> Priced | str:
        return thing

    assert set(LoadedModel(user_model_of(predict, "predict")).card.components) == {"Priced-Input", "Priced-Output"}


def test_the_documented_name_of_a_renamed_field_is_the_first() -> None:
    component = taking(kinds.Renamed).card.components["Renamed"]

    assert set(msgspec.convert(component, Described).properties) == {"t"}


class Custom:
    pass


@dataclass
class Partner:
    name: str


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (NDArray[np.complex64], "is no type of JSON"),
        (list[Iterator[int]], "Iterator` is no type of JSON"),
        (list[Custom], "Custom` is no type of JSON"),
        (Path, "Path` is no type of JSON"),
        (Person | Partner, "Type unions may not contain more than one dataclass"),
        (Customer | Custom, "Unable to generate pydantic-core schema"),
        (complex, "`builtins.complex` is no type of JSON"),
        ("Absent", "NameError: name 'Absent' is not defined"),
    ],
)
def test_an_input_that_json_cannot_give_is_refused(kind: object, reason: str) -> None:
    with pytest.raises(TargetError) as caught:
        taking(kind)

    assert str(caught.value).startswith("`predict` takes `thing: ")
    assert reason in str(caught.value)
    assert "): use " in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        (Path, "use bytes for the content of a file."),
        (complex, "use str, int, float, bool, list, dict, a dataclass, a TypedDict"),
    ],
)
def test_a_refused_hint_names_what_to_use_instead(kind: object, instead: str) -> None:
    with pytest.raises(TargetError) as caught:
        taking(kind)

    assert instead in str(caught.value)


@pytest.mark.parametrize("kind", [np.complex64, list[Custom], Person | Partner, "Absent", complex])
def test_an_output_without_a_schema_is_any_json(kind: object) -> None:
    assert giving(kind).card.output_schema == {}


def test_string_hints_resolve_names_of_class_and_file(write: Write) -> None:
    write(
        "postponed.py",
        """
        from __future__ import annotations
        from functools import wraps
        from typing import TYPE_CHECKING, TypedDict
        if TYPE_CHECKING:
            from numpy import ndarray

        def polite(function):
            @wraps(function)
            def wrapper(*args):
                return function(*args)
            return wrapper

        class Model:
            class Inner(TypedDict):
                size: int

            def predict(self, inner: Inner) -> ndarray:
                return inner

        @polite
        def decorated(size: int) -> Absent: ...
        """,
    )

    assert load("postponed.py:Model").card.input_schema == {"$ref": "#/components/schemas/Inner"}
    assert load("postponed.py:Model").card.output_schema == {}
    assert load("postponed.py:decorated").card.input_schema == {"type": "integer"}


def test_a_pydantic_model_without_a_schema_is_refused() -> None:
    class Holder(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        custom: Custom

    with pytest.raises(TargetError, match="which JSON cannot give"):
        taking(Holder)


def test_a_typed_dict_keeps_its_optional_fields() -> None:
    class Partial(TypedDict, total=False):
        size: int

    assert taking(Partial).decode_input(b"{}") == {}
