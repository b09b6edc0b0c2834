"""Whether an input fits a schema, and what is said when it does not."""

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from tests.unit.models.kinds import Address, Box, Cat, Customer, Dog, Order, Pair, Person, Strict, taking
from zypher.errors import InvalidInput
from zypher.models.schema import InputValidator
from zypher.presence import ModelCard


def card_of(schema: dict[str, object], **components: object) -> ModelCard:
    return ModelCard("m", "", schema, {}, components, 1)


def refusal(card: ModelCard, raw: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        InputValidator(card).check(raw)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "raw", "message"),
    [
        (str, b"1", "$.input must be string."),
        (int, b"1.5", "$.input must be integer."),
        (int, b"true", "$.input must be integer."),
        (int | None, b'"x"', "$.input must be integer or null."),
        (Literal["a", "b"], b'"c"', "$.input must be one of ['a', 'b']."),
        (Person, b"{}", "$.input must contain `name`."),
        (Person, b'{"name": "a", "age": "b"}', "$.input.age must be integer or null."),
        (Person, b'{"name": "a", "friends": [{"name": "a"}, {"name": 1}]}', "$.input.friends[1].name must be string."),
        (dict[str, list[int]], b'{"a": [1, "x"]}', "$.input.a[1] must be integer."),
        (Strict, b'{"size": 1, "more": 2}', "$.input must not contain `more`."),
        (Cat | Dog, b'{"type": "Cow"}', "$.input must fit one of the types that are allowed here."),
        (tuple[int, str], b'[1, 2]', "$.input[1] must be string."),
        (tuple[int, str], b'[1, "a", 3]', "$.input must contain less than or equal to 2 items."),
        (Pair, b"[]", "$.input must contain at least 1 items."),
        (Box, b'{"width": 1, "label": null}', "$.input.label must be string."),
        (Annotated[list[int], msgspec.Meta(min_length=2)], b"[1]", "$.input must contain at least 2 items."),
        (Annotated[str, msgspec.Meta(pattern="^a$")], b'"b"', "$.input must match pattern ^a$."),
        (set[int], b"[1, 1]", "$.input must contain unique items."),
        (UUID, b'"x"', "$.input must be uuid."),
        (dt.date, b'"2023-02-29"', "$.input must be date."),
        (dt.timedelta, b'"x"', "$.input must be duration."),
        (Decimal, b'"x"', "$.input must be decimal."),
        (bytes, b'"x"', "$.input must be base64."),
        (Customer, b'{"name": "a", "addresses": [{"street": "", "number": 0}]}',
         "$.input.addresses[0].number must be bigger than or equal to 1."),
        (Order, b'{"customer": {}, "amounts": {}}', "$.input.customer must contain `name`."),
    ],
)  # fmt: skip
def test_a_misfit_is_told_with_its_path(kind: object, raw: bytes, message: str) -> None:
    assert refusal(taking(kind).card, raw) == message


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (str, b'"\\ud83d\\ude00"'),
        (int, b"3.0"),
        (int, b"1" + b"0" * 100),
        (float, b"3"),
        (Person, b'{"name": "a", "unknown": 1}'),
        (Cat | Dog, b'{"type": "Dog", "tricks": []}'),
        (bytes, b'"aGk="'),
        (dt.timedelta, b'"P1DT2H"'),
        (dt.datetime, b'"2024-01-02T03:04:05"'),
        (Address, b'{"street": "", "number": 1}'),
        (Any, b'{"a": [null]}'),
    ],
)
def test_what_fits_is_accepted(kind: object, raw: bytes) -> None:
    InputValidator(taking(kind).card).check(raw)


@pytest.mark.parametrize("kind", [str, object])
@pytest.mark.parametrize(
    ("raw", "such"),
    [
        (b'"\xff"', "$.input has text that is not Unicode"),
        (b'"\\ud800"', "$.input has text that is not Unicode"),
        (b"1e999", "$.input has a number that is out of range"),
        (b"1" + b"0" * 5_000, "$.input has a number that is out of range"),
        (b"[" * 50_000 + b"]" * 50_000, "$.input is nested too deeply"),
    ],
)
def test_what_no_value_can_hold_is_refused(kind: object, raw: bytes, such: str) -> None:
    assert refusal(taking(kind).card, raw).startswith(such)


def test_a_recursive_type_can_be_nested_too_deeply() -> None:
    raw = b'{"name": "", "friends": [' * 1_000 + b"]}" * 1_000

    assert refusal(taking(Person).card, raw).startswith("$.input is nested too deeply")


def test_a_message_repeats_nothing_huge() -> None:
    long = b"x" * 1_000_000

    assert len(refusal(taking(Literal["a"]).card, b'"%s"' % long)) < 700
    assert len(refusal(taking(Strict).card, b'{"size": 1, "%s": 1}' % long)) < 700
    assert len(refusal(taking(dict[str, int]).card, b'{"%s": "a"}' % long)) < 700


@pytest.mark.parametrize("name", ["{", "}", "{0}", "{x.y}", '"', "'", "\\", "\n", "%s", "", "ä", "data", "a.b", "$ref"])
def test_a_field_may_have_any_name(name: str) -> None:
    validator = InputValidator(
        card_of(
            {
                "type": "object",
                "properties": {name: {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}},
                "required": [name],
                "additionalProperties": False,
            },
            Item={"type": "object", "properties": {name: {"type": "integer"}}},
        )
    )

    validator.check(msgspec.json.encode({name: [{name: 1}]}))
    with pytest.raises(InvalidInput, match="must be integer"):
        validator.check(msgspec.json.encode({name: [{name: "x"}]}))
    with pytest.raises(InvalidInput, match="must contain"):
        validator.check(b"{}")
    with pytest.raises(InvalidInput, match="must not contain"):
        validator.check(msgspec.json.encode({name: [], "more": 1}))


def test_components_whose_names_differ_in_case_or_dots_stay_apart() -> None:
    card = card_of(
        {"type": "array", "prefixItems": [{"$ref": f"#/components/schemas/{name}"} for name in ("A.b", "a_b", "A_b")]},
        **{"A.b": {"type": "integer"}, "a_b": {"type": "string"}, "A_b": {"type": "null"}},
    )

    InputValidator(card).check(b'[1, "a", null]')
    assert refusal(card, b'[1, "a", 1]') == "$.input[2] must be null."


def test_keywords_beside_a_reference_hold() -> None:
    card = card_of({"$ref": "#/components/schemas/N", "maximum": 5, "description": "small"}, N={"type": "integer"})

    InputValidator(card).check(b"5")
    assert refusal(card, b"6") == "$.input must be smaller than or equal to 5."
    assert refusal(card, b'"a"') == "$.input must be integer."


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "("},
        {"type": "unheard-of"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "#/components/schemas/Absent"},
        {"enum": 3},
        {"properties": {"a": {"minimum": "x"}}},
        {"format": "unheard-of"},
        {"unevaluatedProperties": False},
        {"properties": 3},
    ],
)
def test_what_cannot_be_compiled_is_lenient(schema: dict[str, object]) -> None:
    InputValidator(card_of(schema)).check(b'"anything"')


@pytest.mark.parametrize("multiple", [0.1, 7, 1e-300])
def test_arithmetic_on_huge_numbers_breaks_nothing(multiple: float) -> None:
    validator = InputValidator(card_of({"type": "number", "multipleOf": multiple}))

    for raw in (b"1e308", b"1" + b"0" * 400, b"-1e-300"):
        with contextlib.suppress(InvalidInput):
            validator.check(raw)


def test_defaults_and_base64_change_nothing_of_what_is_checked() -> None:
    card = card_of(
        {
            "type": "object",
            "properties": {
                "a": {"type": "string", "contentEncoding": "base64", "maxLength": 4},
                "b": {"type": "integer", "default": "x"},
            },
            "maxProperties": 1,
        }
    )

    InputValidator(card).check(b'{"a": "aGk="}')
    assert refusal(card, b'{"a": "aGlnaA=="}') == "$.input.a must be shorter than or equal to 4 characters."
