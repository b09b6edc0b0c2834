"""Several parameters of a predict function as the fields of one input."""

import inspect
import math
from collections.abc import Mapping, Sequence

import msgspec

from zypher.models.hints import Predict

NAME = "Parameters"  # of the type, in the schema
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def record_of(hints: Mapping[str, object], defaults: Mapping[str, object]) -> type:
    """A type with a field for each parameter; one with a default may be left out, and no other field is allowed."""
    required = [(name, hint) for name, hint in hints.items() if name not in defaults]
    optional = [(name, hints[name], _field(default)) for name, default in defaults.items()]
    return msgspec.defstruct(NAME, [*required, *optional], kw_only=True, forbid_unknown_fields=True)


def of_input(predict: Predict, parameters: Sequence[inspect.Parameter]) -> Predict:
    """`predict` as a function of one input: of the only parameter, or of a record with a field for each."""
    first = parameters[0]
    if len(parameters) == 1 and first.kind is not inspect.Parameter.KEYWORD_ONLY:
        return predict
    if len(parameters) == 1:
        return _by_name(predict, first.name)
    positional = [parameter.name for parameter in parameters if parameter.kind in _POSITIONAL]
    named = [parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]

    def call(record: object) -> object:
        return predict(
            *[getattr(record, name) for name in positional], **{name: getattr(record, name) for name in named}
        )

    return call


def _by_name(predict: Predict, name: str) -> Predict:
    def call(input: object) -> object:
        return predict(**{name: input})

    return call


def _field(default: object) -> object:
    """The schema shows a default that JSON has; any other is the function's own business."""
    simple = default is None or isinstance(default, str | bool | int)
    if simple or (isinstance(default, float) and math.isfinite(default)):
        return msgspec.field(default=default)
    return msgspec.field(default_factory=lambda: default)
