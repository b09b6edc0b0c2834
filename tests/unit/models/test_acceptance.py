"""A server takes what the model's types of pydantic take, and refuses what is evidently wrong."""

import warnings
from typing import Annotated, Any

import jsonschema_rs
import msgspec
import pydantic
import pytest
import typing_extensions
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from tests.unit.models import pydantic_kinds as kinds
from tests.unit.models.kinds import taking
from zypher.errors import InvalidInput
from zypher.models.model import LoadedModel

FIELDS = [
    *("kind", "lives", "tricks", "n", "odd", "count", "more", "text", "t", "txt", "deep", "texts", "size", "s"),
    *("first_name", "firstName", "last_name", "lastName", "i", "f", "b", "d", "at", "span", "money", "u", "raw"),
    *("shade", "rank", "choice", "names", "items", "value", "next", "input", "password", "url", "json_value"),
    *("sides", "name", "cat", "x", "0", "1"),
]
SAMPLES = st.sampled_from(
    [
        *(0, 1, 2, 3, 5, 9, 10, -1, 1.0, 2.0, 0.5, 1e300, 2**53, 2**53 + 1, 2**63, -(2**70), True, False, None),
        *(
            "",
            "a",
            "b",
            "ab",
            " a ",
            "1",
            " 1 ",
            "1_0",
            "1.0",
            "0.5",
            "nan",
            "inf",
            "true",
            "yes",
            "0",
            "[1, 2]",
            "1,2",
        ),
        *("cat", "dog", "dark", "light", "2024-02-29", "2024-02-29T12:30:00Z", "12:30", "PT1S", "1 day, 00:00:01"),
        *("3fa85f64-5717-4562-b3fc-2c963f66afa6", "http://a.b/c", "127.0.0.1", "aGk=", "1KB", "aa\n", "é"),
    ]
)
LEAVES = SAMPLES | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)


def inside(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), values, max_size=4)


VALUES = st.recursive(LEAVES, inside, max_leaves=8)
SOME = LEAVES | VALUES
RECORDS = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["cat", "dog", "cow"])}, optional={"lives": SOME}),
    st.fixed_dictionaries({"kind": st.sampled_from(["cat", "dog"]), "tricks": st.lists(LEAVES)}),
    st.fixed_dictionaries({"odd": st.fixed_dictionaries({}, optional={"n": SOME})}, optional={"count": SOME}),
    st.fixed_dictionaries({}, optional={"t": SOME, "txt": SOME, "text": SOME, "deep": SOME, "size": SOME, "s": SOME}),
    st.fixed_dictionaries({"deep": st.fixed_dictionaries({"texts": st.lists(LEAVES)})}, optional={"s": SOME}),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("first_name", "firstName", "last_name", "lastName"), SOME)),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("i", "f", "b", "s", "d", "t", "at", "span"), LEAVES)),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("money", "u", "raw", "shade", "rank", "choice"), LEAVES)),
    st.fixed_dictionaries({"s": LEAVES}, optional={"names": st.dictionaries(LEAVES.map(str), LEAVES)}),
    st.fixed_dictionaries({"i": LEAVES}, optional={"x": SOME, "at": LEAVES}),
    st.fixed_dictionaries({"items": st.lists(LEAVES) | LEAVES}),
    st.fixed_dictionaries({"value": LEAVES}, optional={"next": st.fixed_dictionaries({"value": LEAVES}) | LEAVES}),
    st.fixed_dictionaries({"input": SOME}),
    st.fixed_dictionaries({"password": LEAVES}, optional={"url": LEAVES, "json_value": LEAVES, "length": LEAVES}),
    st.fixed_dictionaries({"sides": LEAVES}, optional={"name": LEAVES, "x": SOME}),
)  # fmt: skip
INPUTS = st.one_of(LEAVES, RECORDS, st.lists(RECORDS | LEAVES, max_size=3), st.dictionaries(st.text(), RECORDS), VALUES)


def validator_of(model: LoadedModel) -> jsonschema_rs.Draft202012Validator:
    assert model.card.acceptance_schema is not None
    return jsonschema_rs.Draft202012Validator(model.card.acceptance_schema)


def validators(taken: list[Any]) -> list[tuple[object, jsonschema_rs.Draft202012Validator, Any]]:
    models = [(kind, taking(kind)) for kind in taken]
    return [(kind, validator_of(model), model.decode_input) for kind, model in models]


BOTH = validators([*kinds.PYDANTIC_KINDS, kinds.Struct])


def decodes(decode: Any, raw: bytes) -> bool:
    try:
        decode(raw)
    except InvalidInput:
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(value=INPUTS)
def test_what_pydantic_takes_the_server_accepts(value: object) -> None:
    raw = msgspec.json.encode(value)
    read = msgspec.json.decode(raw)
    for kind, validator, decode in BOTH:
        if not validator.is_valid(read):
            assert not decodes(decode, raw), f"{kind} takes {raw.decode()}"


WRONG: list[tuple[Any, list[str]]] = [
    (kinds.Cat, ["1", '"cat"', "[]", "{}", '{"kind": "dog"}', '{"kind": "cat", "lives": -1}']),
    (kinds.Cat, ['{"kind": "cat", "lives": []}', '{"kind": "cat", "lives": "many"}']),
    (kinds.Pet, ["[]", "{}", '{"kind": "cow"}', '{"kind": "dog"}', '{"kind": "cat", "lives": 10}']),
    (kinds.Cat | kinds.Dog, ["[]", "{}", '{"kind": "dog"}']),
    (list[kinds.Cat | kinds.Dog], ["{}", "[{}]", '[{"kind": "dog", "tricks": [1]}]']),
    (dict[str, kinds.Cat], ["[]", '{"a": 1}', '{"a": {}}']),
    (kinds.Odd, ["[]", '{"n": null}', '{"n": -1}']),
    (kinds.Basket, ["{}", '{"odd": 1}', '{"odd": {}, "count": 0}', '{"odd": {}, "more": [{}]}']),
    (kinds.Renamed, ["1", "{}", '{"other": "a"}']),
    (kinds.RenamedStrictly, ['{"t": "a", "other": 1}', '{"t": "a", "s": "x"}', '{"s": 1}']),
    (kinds.Camel, ["{}", '{"firstName": "a", "middleName": "b"}']),
    (kinds.Scalars, ['{"i": []}', '{"f": {}}', '{"b": []}', '{"s": 1}', '{"d": []}', '{"u": 1}', '{"raw": 1}']),
    (kinds.Scalars, ['{"shade": "blue"}', '{"at": "now"}', '{"choice": "b"}', '{"i": "one"}', '{"rank": []}']),
    (kinds.Numbers, ["{}", "[[]]", '["a"]']),
    (kinds.Node, ["{}", '{"value": 1, "next": 1}', '{"value": 1, "next": {"next": null}}']),
    (kinds.Boxed[int], ["{}", '{"input": "a"}']),
    (kinds.Struct, ["[]", '{"n": -1}', '{"cat": {}}']),
    (kinds.Code, ['""', '"abca"', '"d"']),
]


@pytest.mark.parametrize(("kind", "texts"), WRONG)
def test_what_is_evidently_wrong_the_server_refuses(kind: Any, texts: list[str]) -> None:
    validator = validator_of(taking(kind))

    assert [text for text in texts if validator.is_valid(msgspec.json.decode(text))] == []


LAX: list[tuple[Any, list[str]]] = [
    (kinds.Renamed, ['{"t": "a"}', '{"txt": "a"}', '{"text": "a"}', '{"t": "a", "text": 1}']),
    (kinds.RenamedStrictly, ['{"t": "a"}', '{"deep": {"texts": ["a"]}}', '{"t": "a", "s": "2"}']),
    (kinds.Camel, ['{"firstName": "a"}', '{"first_name": "a", "lastName": "b"}']),
    (kinds.Scalars, ['{"i": "1"}', '{"i": 1.0}', '{"i": true}', '{"f": "0.5"}', '{"f": true}', '{"f": "nan"}']),
    (kinds.Scalars, ['{"b": 1}', '{"b": "yes"}', '{"b": 0.0}', '{"d": 0}', '{"t": 0}', '{"at": 0}', '{"span": 0}']),
    (kinds.Scalars, ['{"money": [0, [1], 2]}', '{"money": "\u0661"}', '{"money": "1.5"}', '{"money": 1.5}']),
    (kinds.Scalars, ['{"rank": 1}', '{"rank": 2.0}', '{"rank": "2"}', '{"more": 1}']),
    (kinds.Coerced, ['{"s": 12}', '{"s": "  a  "}']),
    (kinds.Before, ["1"]),
    (kinds.Made, ['{"size": 1}']),
    (kinds.Python, ['{"s": "a\\n"}']),
    (Annotated[str, Field(pattern=r"^\d$"), kinds.Read], ['"\u0661"']),
    (Annotated[float, Field(le=2**53), kinds.Read], [str(2**53 + 1)]),
    (Annotated[kinds.Lenient, kinds.Read], ['"other"']),
    (kinds.Settled, ['{"n": 1, "fixed": "text"}']),
    (kinds.Deep, ['{"deep": ["a"]}']),
    (kinds.Outer, ['{"inner": {"n": 1, "more": 1}}']),
    (kinds.Tagged, ["1", '"a"']),
    (Annotated[str, Field(coerce_numbers_to_str=True)], ["1"]),
    (Annotated[set[int], Field(max_length=1), kinds.Read], ["[1, 1]"]),
    (Annotated[list[pydantic.OnErrorOmit[int]], Field(max_length=1)], ['["a", 1, "b"]']),
    (kinds.Split, ['{"items": "1,2"}']),
    (kinds.Text, ['"   a   "']),
    (pydantic.Json[int], ['"1"']),
    (kinds.Struct, ['{"cat": {"txt": "a"}}']),
    (kinds.Node, ['{"value": "1", "next": {"value": "2"}}']),
    (kinds.Open, ['{"i": 1, "more": []}']),
    (kinds.Secret, ['{"password": "secret", "length": 1}']),
]


@pytest.mark.parametrize(("kind", "texts"), LAX)
def test_what_only_the_class_takes_the_server_accepts(kind: Any, texts: list[str]) -> None:
    model = taking(kind)
    validator = validator_of(model)

    for text in texts:
        model.decode_input(text.encode())
        assert validator.is_valid(msgspec.json.decode(text)), text


Defaulted = typing_extensions.TypeAliasType("Defaulted", Annotated[int, Field(default=3)])


def test_a_field_with_a_default_in_its_type_is_optional() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydantic advises against it
        model = taking(pydantic.create_model("Model", number=(Defaulted, ...), numbers=(list[Defaulted], [])))

    model.decode_input(b"{}")
    assert validator_of(model).is_valid({})


def test_without_pydantic_the_input_schema_is_what_the_server_checks() -> None:
    assert taking(dict[str, int]).card.acceptance_schema is None
