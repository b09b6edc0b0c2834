"""Several parameters of a predict function as the fields of one input."""

import inspect
import math
from collections.abc import Mapping, Sequence
from types import NoneType

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


def of_input(predict: Predict, parameters: Sequence[inspect.Parameter], unwrap: Predict) -> Predict:
    """`predict` as a function of one input: of the only parameter, or of a record with a field for each.

    `unwrap` is applied to the value of each field.
    """
    first = parameters[0]
    if len(parameters) == 1 and first.kind is not inspect.Parameter.KEYWORD_ONLY:
        return predict
    if len(parameters) == 1:
        return _by_name(predict, first.name)
    numbered = [(_FIELD.format(number), parameter) for number, parameter in enumerate(parameters)]
    positional = [field for field, parameter in numbered if parameter.kind in _POSITIONAL]
    named = [(field, each.name) for field, each in numbered if each.kind is inspect.Parameter.KEYWORD_ONLY]

    def call(record: object) -> object:
        return predict(
            *[unwrap(getattr(record, field)) for field in positional],
            **{name: unwrap(getattr(record, field)) for field, name in named},
        )

    return call


def _by_name(predict: Predict, name: str) -> Predict:
    def call(input: object) -> object:
        return predict(**{name: input})

    return call


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
