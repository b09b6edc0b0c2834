"""Several parameters are the fields of one input."""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, cast

import msgspec
import numpy as np
import pydantic
import pytest

from zypher.errors import InvalidInput, TargetError
from zypher.models.model import LoadedModel
from zypher.models.schema import InputValidator
from zypher.models.user_model import user_model_of

Json = dict[str, Any]


class Mood(Enum):
    CALM = "calm"


@dataclass
class Style:
    bold: bool = False


class Size(pydantic.BaseModel):
    width: int = pydantic.Field(ge=1)


def generate(prompt: str, temperature: float = 0.7, *, stop: list[str] | None = None) -> object:
    return prompt, temperature, stop


def everything(
    text: str,
    /,
    style: Style,
    size: Size,
    mood: Mood = Mood.CALM,
    *,
    tags: tuple[str, ...] = ("a",),
    odd: float = float("inf"),
) -> object:
    return text, style, size, mood, tags, odd


def served(predict: Callable[..., object]) -> LoadedModel:
    return LoadedModel(user_model_of(predict, "predict"))


def predicted(predict: Callable[..., object], raw: bytes) -> object:
    """The output, if a server accepts the input."""
    model = served(predict)
    InputValidator(model.card).check(raw)
    return model.predict(model.decode_input(raw))


def refused(predict: Callable[..., object], raw: bytes) -> str:
    model = served(predict)
    with pytest.raises(InvalidInput) as by_server:
        InputValidator(model.card).check(raw)
    with pytest.raises(InvalidInput):
        model.decode_input(raw)
    return str(by_server.value)


def test_each_parameter_is_a_field() -> None:
    card = served(generate).card
    assert card.input_schema == {"$ref": "#/components/schemas/Parameters"}
    schema = cast("Json", card.components["Parameters"])
    assert list(schema["properties"]) == ["prompt", "temperature", "stop"]
    assert schema["required"] == ["prompt"]
    assert schema["properties"]["temperature"] == {"type": "number", "default": 0.7}
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("raw", "output"),
    [
        (b'{"prompt": "a"}', ("a", 0.7, None)),
        (b'{"temperature": 1, "prompt": "a", "stop": ["b"]}', ("a", 1.0, ["b"])),
    ],
)
def test_a_field_with_a_default_may_be_left_out(raw: bytes, output: object) -> None:
    assert predicted(generate, raw) == output


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b'"a"', "$.input must be an object with `prompt`, `temperature` and `stop`."),
        (b"{}", "$.input must contain `prompt`."),
        (b'{"prompt": "a", "temperatur": 1}', "$.input must not contain `temperatur`."),
        (b'{"prompt": "a", "temperature": "hot"}', "$.input.temperature must be a number."),
    ],
)
def test_what_does_not_fit_is_named(raw: bytes, sentence: str) -> None:
    assert refused(generate, raw) == sentence


def test_parameters_of_any_kind_and_type_get_their_values() -> None:
    raw = b'{"text": "a", "style": {"bold": true}, "size": {"width": 2}}'
    assert predicted(everything, raw) == ("a", Style(bold=True), Size(width=2), Mood.CALM, ("a",), float("inf"))
    assert refused(everything, raw.replace(b"2", b"0")) == "$.input.size.width must be at least 1."


def test_constraints_of_parameters_are_enforced() -> None:
    def predict(count: Annotated[int, msgspec.Meta(ge=1)], limit: int = pydantic.Field(le=9)) -> int:
        return count + limit

    assert predicted(predict, b'{"count": 1, "limit": 9}') == 10
    assert refused(predict, b'{"count": 1, "limit": 10}') == "$.input.limit must be at most 9."
    assert refused(predict, b'{"count": 0, "limit": 1}') == "$.input.count must be at least 1."


def even(number: int) -> int:
    assert number % 2 == 0
    return number


def test_a_library_reads_its_own_parameter_and_no_other() -> None:
    def predict(_number: Annotated[int, pydantic.AfterValidator(even)], image: bytes, model_config: int = 3) -> object:
        return _number, image, model_config

    assert predicted(predict, b'{"_number": 2, "image": "aGk="}') == (2, b"hi", 3)
    assert refused(predict, b'{"_number": 2, "image": "aGk=", "model_config": "4"}').startswith("$.input.model_config")
    model = served(predict)
    with pytest.raises(InvalidInput, match=r"^\$\.input\._number"):
        model.decode_input(b'{"_number": 1, "image": "aGk="}')
    assert refused(predict, b'{"_number": 2, "image": "aGk=", "more": 1}') == "$.input must not contain `more`."


AT_LEAST_ONE = pydantic.Field(8, ge=1)
TAGS = pydantic.Field(default_factory=list[str])


def test_a_default_of_a_field_is_the_parameters_default() -> None:
    def predict(text: str, size: int = AT_LEAST_ONE, tags: list[str] = TAGS) -> object:
        return text, size, tags

    assert predicted(predict, b'{"text": "a"}') == ("a", 8, [])
    assert refused(predict, b'{"text": "a", "size": 0}') == "$.input.size must be at least 1."
    schema = cast("Json", served(predict).card.components["Parameters"])
    assert schema["required"] == ["text"]
    assert schema["properties"]["size"] == {"type": "integer", "minimum": 1, "default": 8}


DEFAULTS = [np.float64(0.5), "\ud800", float("nan"), threading.Lock(), Mood.CALM, [1]]


@pytest.mark.parametrize("default", DEFAULTS, ids=lambda default: type(default).__name__)
def test_any_default_reaches_the_function_as_it_is(default: object) -> None:
    def predict(text: str, other: object = default) -> object:
        return other

    assert predicted(predict, b'{"text": "a"}') is default


def test_what_a_partial_has_bound_is_no_input() -> None:
    def predict(text: str, weights: complex, times: int = 2) -> str:
        return text * times

    model = served(functools.partial(predict, weights=1j))
    assert model.predict(model.decode_input(b'{"text": "a"}')) == "aa"
    assert served(functools.partial(predict, weights=1j, times=3)).card.input_schema == {"type": "string"}


def test_the_only_parameter_takes_the_input_itself() -> None:
    def named(*, text: str) -> str:
        return text * 2

    def rest(text: str, *more: int, **options: int) -> str:
        return text * 2

    for predict in (named, rest):
        assert served(predict).card.input_schema == {"type": "string"}
        assert predicted(predict, b'"ab"') == "abab"


async def test_an_async_model_may_have_several() -> None:
    async def predict(text: str, times: int = 2) -> str:
        return text * times

    model = served(predict)
    assert model.is_async
    assert await cast("Any", model.predict(model.decode_input(b'{"text": "a"}'))) == "aa"


def test_a_hint_that_json_cannot_give_names_its_parameter_list() -> None:
    def predict(text: str, lock: complex) -> None: ...

    with pytest.raises(TargetError, match=r"takes `text: str, lock: complex`, which JSON cannot give"):
        served(predict)
