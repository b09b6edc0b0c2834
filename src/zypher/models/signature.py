"""A predict function's type hints as an input decoder and as JSON Schema.

Any type that msgspec reads is served: str, int, float, bool, None, list, tuple, set, dict, unions,
Literal, Enum, dataclass, TypedDict, NamedTuple, msgspec.Struct, datetime, UUID, Decimal, bytes (as
base64), each with constraints by `Annotated[..., msgspec.Meta(...)]`; pydantic models as well, alone
or inside of the others. No hint, `Any` and `object` stand for any JSON.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from zypher.errors import TargetError
from zypher.models import foreign
from zypher.models.hints import Predict, input_parameter, python_signature, resolve, written
from zypher.models.input import InputDecoder
from zypher.models.user_error import headline

_REF = "#/components/schemas/"
_POSSIBLE = (
    "use str, int, float, bool, list, dict, a dataclass, a TypedDict, a msgspec.Struct or a pydantic model, "
    "or no hint to take any JSON"
)

Schema = dict[str, object]
SchemaOf = Callable[[type], Schema]


class Signature(msgspec.Struct, frozen=True):
    """What goes into a predict function and what comes out."""

    decoder: InputDecoder
    input_schema: Schema  # JSON Schema 2020-12
    output_schema: Schema
    components: Schema  # name -> JSON Schema; the schemas refer to it as #/components/schemas/NAME


class _Hint(msgspec.Struct, frozen=True):
    """A type hint, and the classes in it that only a library can describe."""

    kind: object
    models: list[type]


def read_signature(predict: Predict, owner: type | None, label: str) -> Signature:
    """The signature of `predict`, which messages call `label`; `owner` is the class that it is a method of.

    Raises `TargetError` when it does not take exactly one input, or takes what JSON cannot give. An
    output hint that JSON Schema cannot say is no error: it is described as any JSON.
    """
    signature = python_signature(predict, label)
    parameter = input_parameter(signature, label)
    try:
        taken = _hint(parameter.annotation, predict, owner)
        decoder = InputDecoder(taken.kind)
    except Exception as error:
        reason = headline(error).removeprefix("TypeError: ")
        raise TargetError(
            f"{label} takes `{written(parameter)}`, which JSON cannot give ({reason}): {_POSSIBLE}."
        ) from error
    try:
        given = _hint(signature.return_annotation, predict, owner)
    except Exception:  # the output itself is judged when it is encoded
        given = _Hint(Any, [])
    (input_schema, output_schema), components = _describe(taken, given)
    return Signature(decoder, input_schema, output_schema, components)


def _hint(annotation: object, predict: Predict, owner: type | None) -> _Hint:
    """Raises whatever the hint's evaluation and a library's description raise, and TypeError for what is not JSON."""
    hint = _Hint(resolve(annotation, predict, owner), [])

    library = foreign.types()

    def meet(kind: type) -> Schema:
        if kind is not object:
            if library is None or not library.is_model(kind):
                raise TypeError(f"`{kind.__module__}.{kind.__qualname__}` is no type of JSON")
            hint.models.append(kind)
        return _any_json(kind)

    _schemas((hint.kind,), meet)
    if library is not None and hint.models:  # some of its classes it cannot describe either
        library.definitions(hint.models, [], _REF + "{model}")
        library.definitions([], hint.models, _REF + "{model}")
    return hint


def _describe(taken: _Hint, given: _Hint) -> tuple[tuple[Schema, ...], Schema]:
    kinds = (taken.kind, given.kind)
    schemas, components = _schemas(kinds, _any_json)
    library = foreign.types()
    if library is None or not (taken.models or given.models):
        return schemas, components
    prefix = ""
    known, definitions = library.definitions(taken.models, given.models, _REF + "{model}")
    if components.keys() & definitions:
        prefix = "pydantic."
        known, definitions = library.definitions(taken.models, given.models, _REF + prefix + "{model}")
    schemas, components = _schemas(kinds, _look_up(known))
    return schemas, components | {prefix + name: schema for name, schema in definitions.items()}


def _look_up(known: Mapping[type, Schema]) -> SchemaOf:
    return lambda kind: known.get(kind) or _any_json(kind)


def _any_json(_: type) -> Schema:
    return {"description": "Any JSON."}  # msgspec takes an empty schema for none


def _schemas(kinds: tuple[object, ...], schema_of: SchemaOf) -> tuple[tuple[Schema, ...], Schema]:
    return msgspec.json.schema_components(kinds, schema_hook=schema_of, ref_template=_REF + "{name}")
