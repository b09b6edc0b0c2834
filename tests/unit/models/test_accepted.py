"""A server checks the looser schema of a type of pydantic, and says what the documented one says."""

from typing import Any

import pytest

from tests.unit.models import pydantic_kinds as kinds
from tests.unit.models.kinds import taking
from zypher.errors import InvalidInput
from zypher.models.schema import InputValidator


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (kinds.Renamed, '{"txt": "a"}'),
        (kinds.Renamed, '{"text": "a"}'),
        (kinds.Scalars, '{"i": "1", "money": [0, [1], 2]}'),
        (kinds.Node, '{"value": 1, "next": {"value": "2"}}'),
        (kinds.Struct, '{"cat": {"txt": "a"}}'),
        (kinds.Before, "1"),
    ],
)
def test_what_the_class_takes_is_accepted(kind: Any, raw: str) -> None:
    InputValidator(taking(kind).card).check(raw.encode())


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (kinds.Renamed, "{}", "$.input must contain `t`."),
        (kinds.Scalars, '{"i": []}', "$.input.i must be an integer."),
        (kinds.Scalars, '{"i": "one"}', "$.input.i must be an integer."),
        (kinds.Node, '{"value": 1, "next": {"value": "two"}}', "$.input.next.value must be an integer."),
        (kinds.Struct, '{"n": -1}', "$.input.n must be at least 0."),
        (kinds.Pet, '{"kind": "cow"}', '$.input.kind must be one of "cat", "dog".'),
    ],
)
def test_a_refusal_is_that_of_the_documented_schema(kind: Any, raw: str, sentence: str) -> None:
    validator = InputValidator(taking(kind).card)

    with pytest.raises(InvalidInput) as caught:
        validator.check(raw.encode())

    assert str(caught.value) == sentence
