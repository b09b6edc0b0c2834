"""Several parameters of a predict function as the fields of one input."""

import inspect
import math
from collections.abc import Collection, Mapping, Sequence
from types import NoneType
from typing import Any, cast

import msgspec

from zypher.models.hints import Predict

NAME = "Parameters"  # of the type, in the schema
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_FIELD = "p{}"  # of the type; in JSON it has the name of the parameter, which may be none that a type takes


def record_of(hints: Mapping[str, object], defaults: Mapping[str, object]) -> type:
    """A type with a field for each parameter; one with a default may be left out, and no other field is allowed."""
    fields: list[tuple[str, object] | tuple[str, object, object]] = []
    for number, (name, hint) in enumerate(hints.items()):
        field = _FIELD.format(number)
        fields.append((field, hint, _field(defaults[name])) if name in defaults else (field, hint))
    names = {_FIELD.format(number): name for number, name in enumerate(hints)}
    return msgspec.defstruct(NAME, fields, kw_only=True, forbid_unknown_fields=True, rename=names)


def of_input(
    predict: Predict, parameters: Sequence[inspect.Parameter], unwrap: Predict, iterators: Collection[str]
) -> Predict:
    """`predict` as a function of one input: of the only parameter, or of a record with a field for each.

    `unwrap` is applied to the value of each field; what the parameters called `iterators` take is a list to iterate.
    """
    if len(parameters) == 1:
        return _of_one(predict, parameters[0], iterate=bool(iterators))

    def value_of(record: object, field: str, name: str) -> object:
        value = unwrap(getattr(record, field))
        return iter(cast(list[object], value)) if name in iterators else value

    numbered = [(_FIELD.format(number), parameter) for number, parameter in enumerate(parameters)]
    positional = [(field, each.name) for field, each in numbered if each.kind in _POSITIONAL]
    named = [(field, each.name) for field, each in numbered if each.kind is inspect.Parameter.KEYWORD_ONLY]

    def call(record: object) -> object:
        return predict(
            *[value_of(record, field, name) for field, name in positional],
            **{name: value_of(record, field, name) for field, name in named},
        )

    return call


def fields_of(record: object, parameters: Sequence[inspect.Parameter], unwrap: Predict) -> dict[str, object]:
    """The fields of a `record_of` these parameters, by their names."""
    return {
        parameter.name: unwrap(getattr(record, _FIELD.format(number))) for number, parameter in enumerate(parameters)
    }


def _of_one(predict: Predict, parameter: inspect.Parameter, *, iterate: bool) -> Predict:
    by_name = parameter.kind is inspect.Parameter.KEYWORD_ONLY

    def call(input: Any) -> object:
        given = iter(input) if iterate else input
        return predict(**{parameter.name: given}) if by_name else predict(given)

    def call_with_fields(fields: Any) -> object:
        return predict(**fields)

    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return call_with_fields
    return call if by_name or iterate else predict


def _field(default: object) -> object:
    """The schema shows a default that JSON has; any other is the function's own business."""
    if _is_json(default):
        return msgspec.field(default=default)
    return msgspec.field(default_factory=lambda: default)


def _is_json(default: object) -> bool:
    """Whether it is of a plain type, not of a subclass, and can be written as JSON and read by people."""
    if isinstance(default, str):
        return type(default) is str and default.isprintable()
    if isinstance(default, float):
        return type(default) is float and math.isfinite(default)
    return type(default) in (NoneType, bool, int)
