"""What a type of pydantic says of an input that it refuses."""

from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import Field

from tests.unit.models import pydantic_kinds as kinds
from tests.unit.models.kinds import taking
from zypher.errors import InvalidInput


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (kinds.Cat, "[]", "$.input must be an object."),
        (kinds.Cat, "{}", "$.input must contain `kind`."),
        (kinds.Cat, '{"kind": "cat", "lives": 10}', "$.input.lives must be at most 9."),
        (kinds.Cat, '{"kind": "cat", "lives": "x"}', "$.input.lives must be an integer."),
        (list[kinds.Cat | kinds.Dog], '[{"kind": "dog"}]', "$.input[0] must contain `tricks`."),
        (list[kinds.Pet], '[{"kind": "dog", "tricks": [1]}]', "$.input[0].tricks[0] must be a string."),
        (kinds.Pet, '{"kind": "cow"}', "$.input must have one of 'cat', 'dog' as 'kind'."),
        (kinds.Pet, "{}", "$.input must contain 'kind'."),
        (kinds.Cat | int, "[]", "$.input must be an object, or must be an integer."),
        (kinds.Cat | Literal["a"], "1", "$.input must be an object, or must be 'a'."),
        (kinds.Cat | None, "[]", "$.input must be an object."),
        (dict[str, kinds.Cat], '{"a b": {"kind": "cat", "lives": -1}}', "$.input.a b.lives must be at least 0."),
        (kinds.Odd, '{"n": 4}', "$.input.n must be odd."),
        (kinds.Basket, '{"odd": {"n": 1}, "more": [{"odd": {"n": 2}}]}', "$.input.more[0].odd.n must be odd."),
        (kinds.RenamedStrictly, '{"t": "a", "other": 1}', "$.input must not contain `other`."),
        (kinds.Renamed, "{}", "$.input must contain `t`."),
        (kinds.Scalars, '{"at": "now"}', "$.input.at must be a valid datetime or date, input is too short."),
        (kinds.Scalars, '{"shade": "blue"}', "$.input.shade must be 'dark' or 'light'."),
        (kinds.Boxed[int], '{"input": "a"}', "$.input.input must be an integer."),
        (kinds.Struct, '{"cat": {}}', "$.input.cat must contain `t`."),
        (kinds.Node, '{"value": 1, "next": {"value": "a"}}', "$.input.next.value must be an integer."),
        (kinds.Secret, '{"password": "a"}', "$.input.password must have at least 2 items."),
        (Annotated[list[pydantic.StrictInt], Field(min_length=2)], "[1]", "$.input must have at least 2 items."),
        (Annotated[str, pydantic.AfterValidator(kinds.lower)], '"A"', "$.input must be in lower case."),
        (pydantic.constr(pattern="^a$"), '"b"', "$.input must match the pattern ^a$."),
        (pydantic.JsonValue, "[" * 300 + "]" * 300, "$.input is nested too deeply: send a flatter one."),
        (kinds.Scalars, '{"s": 1, "i": "secret"}', "$.input.i must be an integer."),
    ],
)
def test_a_refusal_is_a_sentence_with_its_path(kind: Any, raw: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        taking(kind).decode_input(raw.encode())

    assert str(caught.value) == sentence
