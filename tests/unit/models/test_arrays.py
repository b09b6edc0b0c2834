"""Inputs as numpy's arrays and scalars, and as what is iterated."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import numpy as np
import pytest
import typing_extensions
from numpy.typing import NDArray

from tests.unit.models.kinds import giving, taking
from zypher.errors import InvalidInput
from zypher.models.model import LoadedModel
from zypher.models.schema import InputValidator
from zypher.models.user_model import user_model_of


@pytest.mark.parametrize(
    ("kind", "raw", "array"),
    [
        (np.ndarray, "[1, 2]", np.array([1, 2])),
        (np.ndarray, "[[1, 2.5], [3, 4]]", np.array([[1, 2.5], [3, 4]])),
        (np.ndarray, '["a", "bc"]', np.array(["a", "bc"])),
        (np.ndarray, "[]", np.array([], dtype=np.float64)),
        (NDArray[np.float32], "[1, 2.5]", np.array([1, 2.5], dtype=np.float32)),
        (NDArray[np.uint8], "[1, 2.0]", np.array([1, 2], dtype=np.uint8)),
        (NDArray[np.bool_], "[[true], [false]]", np.array([[True], [False]])),
        (NDArray[Any], "[true]", np.array([True])),
        (NDArray[np.floating[Any]], "[1]", np.array([1.0])),
        (NDArray[np.float64] | None, "[1]", np.array([1.0])),
        (np.float32, "1", np.float32(1)),
        (np.int8, "-3", np.int8(-3)),
        (np.bool_, "true", np.bool_(True)),
        (np.str_, '"a\\u0000"', np.str_("a\0")),
        (np.ndarray, json.dumps(["a"] * 99 + ["b" * 100]), np.array(["a"] * 99 + ["b" * 100])),
    ],
)
def test_nested_lists_become_an_array_of_the_hints_dtype(kind: Any, raw: str, array: Any) -> None:
    model = taking(kind)
    InputValidator(model.card).check(raw.encode())

    made: Any = model.decode_input(raw.encode())

    assert (type(made), made.dtype, made.shape) == (type(array), array.dtype, array.shape)
    assert np.all(made == array)


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (np.ndarray, "5", "$.input must be an array."),
        (np.ndarray, "[1, true]", "$.input[1] must be an integer."),
        (np.ndarray, "[null]", "$.input[0] must be a number."),
        (np.ndarray, "[[1], [1, 2]]", "$.input must be an array of lists of equal lengths."),
        (np.ndarray, "[1, [2]]", "$.input must be an array of lists of equal depths."),
        (NDArray[np.float32], '[[1, 2], [3, "4"]]', "$.input[1][1] must be a number."),
        (NDArray[np.float32], "[[[1], [2]], [[3], [null]]]", "$.input[1][1][0] must be a number."),
        (NDArray[np.float32], "[1e300]", "$.input: has a number that is out of range for float32."),
        (NDArray[np.uint8], "[300]", "$.input: has a number that is out of range for uint8."),
        (NDArray[np.uint8], "[1.5]", "$.input[0] must be an integer."),
        (
            np.ndarray[tuple[int, int], np.dtype[np.float64]],
            "[1]",
            "$.input must be an array of 2 dimensions, not of 1.",
        ),
        (list[NDArray[np.int64]], '[[1], ["a"]]', "$.input[1][0] must be an integer."),
        (dict[str, NDArray[np.int64]], '{"a": [1, "a"]}', "$.input[...][1] must be an integer."),
        (np.ndarray, '["a\\u0000"]', "$.input must have no text that ends with a NUL, which an array would lose."),
        (np.ndarray, "[" * 65 + "]" * 65, "$.input must be an array of at most 64 dimensions."),
        (NDArray[np.float64], "[" + "9" * 400 + "]", "$.input: has a number that is out of range for float64."),
        (np.ndarray, "[1e400]", "$.input[0]: number out of range."),
        (np.int8, "1.5", "$.input must be an integer."),
        (np.int8, "128", "$.input: has a number that is out of range for int8."),
    ],
)
def test_a_list_that_is_no_such_array_is_refused(kind: Any, raw: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        taking(kind).decode_input(raw.encode())

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "raw", [json.dumps(["a"] * 10_000 + ["b" * 10_000]), json.dumps([["a"] * 99 + ["b" * 9_999]] * 99)]
)
def test_texts_padded_far_beyond_their_size_are_refused(raw: str) -> None:
    for kind, text in [(np.ndarray, raw), (dict[str, NDArray[np.str_]], f'{{"a": {raw}}}')]:
        with pytest.raises(InvalidInput, match=r"must have texts of similar lengths: .* [\d,]{9,} bytes"):
            taking(kind).decode_input(text.encode())


@pytest.mark.parametrize(
    ("kind", "schema"),
    [(np.float32, {"type": "number"}), (np.int64, {"type": "integer"}), (np.bool_, {"type": "boolean"})],
)
def test_numpys_hints_are_described_on_both_sides(kind: Any, schema: dict[str, object]) -> None:
    assert taking(kind).card.input_schema == giving(kind).card.output_schema == schema
    for array in (np.ndarray, NDArray[np.float32]):
        assert taking(array).card.input_schema["type"] == giving(array).card.output_schema["type"] == "array"


@dataclass
class Picture:
    pixels: NDArray[np.float32]
    labels: Iterable[str] = ()


def test_arrays_may_be_in_fields() -> None:
    model = taking(Picture)

    picture: Any = model.decode_input(b'{"pixels": [[1]], "labels": ["a"]}')

    assert picture.pixels.dtype == np.float32
    assert picture.labels == ["a"]
    with pytest.raises(InvalidInput, match=r"\$.input.pixels\[0\] must be a number"):
        model.decode_input(b'{"pixels": ["a"]}')


class Kept(TypedDict):
    size: typing_extensions.ReadOnly[int]
    label: NotRequired[typing_extensions.ReadOnly[str]]


def test_a_read_only_field_is_what_it_holds() -> None:
    model = taking(Kept)

    assert model.decode_input(b'{"size": 1, "label": "a"}') == {"size": 1, "label": "a"}
    with pytest.raises(InvalidInput, match=r"\$.input.size"):
        model.decode_input(b'{"size": "1"}')


def first_of(numbers: Iterator[int]) -> int:
    return next(numbers)


def first_of_named(*, numbers: Iterator[int]) -> int:
    return next(numbers)


def test_an_iterator_takes_a_list() -> None:
    for predict in (first_of, first_of_named):
        model = LoadedModel(user_model_of(predict, "predict"))

        assert model.card.input_schema == {"type": "array", "items": {"type": "integer"}}
        assert model.predict(model.decode_input(b"[3, 4]")) == 3


def test_iterators_may_be_several_parameters() -> None:
    def pair(left: Iterator[int], right: Iterator[str], *, more: Iterable[int] = ()) -> list[object]:
        return [next(left), next(right), list(more)]

    model = LoadedModel(user_model_of(pair, "pair"))

    assert model.predict(model.decode_input(b'{"left": [1], "right": ["a"]}')) == [1, "a", []]


class Size(TypedDict):
    size: int


def sizes(**sizes: int) -> dict[str, int]:
    return sizes


def one_size(**fields: typing_extensions.Unpack[Size]) -> object:
    return fields


@pytest.mark.parametrize(
    ("predict", "right", "wrong"), [(sizes, b'{"a": 1}', b'{"a": "1"}'), (one_size, b'{"size": 1}', b"{}")]
)
def test_keyword_arguments_take_an_object(predict: Any, right: bytes, wrong: bytes) -> None:
    model = LoadedModel(user_model_of(predict, "predict"))

    value = model.decode_input(right)

    assert model.predict(value) == value
    with pytest.raises(InvalidInput):
        model.decode_input(wrong)
