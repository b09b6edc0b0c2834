"""A server takes what the model's types of pydantic take, and refuses what is evidently wrong."""

from typing import Any

import jsonschema_rs
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

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
