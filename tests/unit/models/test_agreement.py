"""The server's validator and the replica's decoder say the same of an input."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.models.kinds import (
    Address,
    Box,
    Cat,
    Colour,
    Customer,
    Dog,
    Level,
    Order,
    Pair,
    Person,
    Strict,
    taking,
)
from zypher.errors import InvalidInput
from zypher.models.schema import InputValidator

KINDS: list[Any] = [
    *(str, int, float, bool, None, object, list[int], list[float], tuple[int, str], tuple[int, ...], dict[str, int]),
    *(int | None, str | int | None, list[int | str], float | str, Literal["a", 1, None], Literal[1, 2], Colour, Level),
    *(Person, Box, Pair, Cat | Dog, Strict, list[Person], dict[str, Box], Person | None, dt.date, UUID, bytes),
    *(Annotated[int, msgspec.Meta(ge=1, lt=3)], Annotated[str, msgspec.Meta(min_length=1, max_length=2)]),
    *(Annotated[list[int], msgspec.Meta(max_length=1)], Annotated[float, msgspec.Meta(gt=0)]),
]
# Of these, msgspec reads what its own schema of them does not allow: a lone tagged struct without its tag, for one.
MORE_LENIENT_THAN_THEIR_SCHEMA: list[Any] = [Cat, set[int], Decimal]
STRICTER_THAN_THEIR_SCHEMA: list[Any] = [
    *(dt.datetime, dt.time, dt.timedelta, dict[int, int], dict[UUID, int]),
    *(Order, Customer, list[Address], Address | None),  # pydantic's, whose schema is the one of acceptance
]

FIELDS = ["name", "age", "friends", "width", "label", "type", "lives", "tricks", "size", "customer", "amounts",
          "addresses", "street", "number", "kind", "x"]  # fmt: skip
SAMPLES = st.sampled_from(
    [
        *(0, 1, 2, 3.0, 2.0, 1.0, -1, 9, 10, 0.5, True, False, None, "", "a", "red", "blue", "Cat", "Dog", "person"),
        *("2024-02-29", "2023-02-29", str(UUID(int=1)), "aGk=", "1.5", "\x00", "abc", "ä"),
        *("2024-01-01T00:00:00Z", "12:30:00Z", "PT1.5S", "P1D"),
    ]
)
LEAVES = st.one_of(
    SAMPLES, st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=3)
)


def inside(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), values, max_size=4)


VALUES = st.recursive(LEAVES, inside, max_leaves=8)
PERSON = st.fixed_dictionaries(
    {"name": st.just("Ada") | LEAVES}, optional={"age": LEAVES, "friends": st.lists(st.just({"name": "B"}) | VALUES)}
)
ADDRESS = st.fixed_dictionaries({"street": st.just("Main") | LEAVES, "number": st.integers(-1, 3) | LEAVES})
CUSTOMER = st.fixed_dictionaries(
    {"name": st.just("Ada")}, optional={"addresses": st.lists(ADDRESS, max_size=2), "kind": LEAVES}
)
BOX = st.fixed_dictionaries({"width": LEAVES}, optional={"label": LEAVES, "x": VALUES})
ANIMAL = st.fixed_dictionaries(
    {"type": st.sampled_from(["Cat", "Dog", "Cow"])},
    optional={"lives": st.integers(-1, 10) | LEAVES, "tricks": st.lists(LEAVES, max_size=2), "x": LEAVES},
)
ORDER = st.fixed_dictionaries({"customer": CUSTOMER, "amounts": st.dictionaries(st.text(max_size=2), LEAVES)})
STRICT_SIZE = st.fixed_dictionaries({"size": LEAVES}, optional={"x": LEAVES})
RECORDS = st.one_of(PERSON, ADDRESS, CUSTOMER, BOX, ANIMAL, ORDER, STRICT_SIZE)
CONTAINERS = st.lists(RECORDS | LEAVES, max_size=2) | st.dictionaries(st.text(max_size=2), BOX | LEAVES, max_size=2)
INPUTS = st.tuples(SAMPLES, LEAVES, RECORDS, CONTAINERS, VALUES).map(
    lambda some: [msgspec.json.encode(one) for one in some]
)


def accepts(check: Callable[[bytes], object], raw: bytes) -> bool:
    try:
        check(raw)
    except InvalidInput:
        return False
    return True


def checks(kinds: list[Any]) -> list[tuple[object, Callable[[bytes], object], Callable[[bytes], object]]]:
    models = [(kind, taking(kind)) for kind in kinds]
    return [(kind, InputValidator(model.card).check, model.decode_input) for kind, model in models]


BOTH = checks(KINDS)
LENIENT = checks(MORE_LENIENT_THAN_THEIR_SCHEMA)
STRICT = checks(STRICTER_THAN_THEIR_SCHEMA)


@settings(max_examples=150, deadline=None)
@given(inputs=INPUTS)
def test_validator_and_decoder_agree(inputs: list[bytes]) -> None:
    for raw, (kind, check, decode) in product(inputs, BOTH):
        assert accepts(check, raw) == accepts(decode, raw), f"{kind} disagrees on {raw.decode()}"


@settings(max_examples=150, deadline=None)
@given(inputs=INPUTS)
def test_what_the_validator_accepts_of_a_lenient_type_is_decoded(inputs: list[bytes]) -> None:
    for raw, (kind, check, decode) in product(inputs, LENIENT):
        assert not accepts(check, raw) or accepts(decode, raw), f"{kind} disagrees on {raw.decode()}"


@settings(max_examples=100, deadline=None)
@given(inputs=INPUTS)
def test_what_a_strict_type_decodes_is_accepted_by_the_validator(inputs: list[bytes]) -> None:
    texts = [raw for raw in inputs if raw[:1] in b'"{']  # of a number, msgspec makes spans and instants as well
    for raw, (kind, check, decode) in product(texts, STRICT):
        assert not accepts(decode, raw) or accepts(check, raw), f"{kind} disagrees on {raw.decode()}"


PLAIN_KINDS: list[Any] = [str, object, str | None, str | int | None]


@given(st.sampled_from([*KINDS, *MORE_LENIENT_THAN_THEIR_SCHEMA, *STRICTER_THAN_THEIR_SCHEMA]), st.text())
def test_a_type_that_takes_every_text_takes_this_one(kind: Any, text: str) -> None:
    validator = InputValidator(taking(kind).card)
    assert validator.takes_every_text or kind not in PLAIN_KINDS
    if validator.takes_every_text:
        validator.check(msgspec.json.encode(text))
