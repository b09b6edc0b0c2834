"""A predict function's type hints as an input decoder and as JSON Schema.

Any type that msgspec reads is served: str, int, float, bool, None, list, tuple, set, dict, unions,
Literal, Enum, dataclass, TypedDict, NamedTuple, msgspec.Struct, datetime, UUID, Decimal, bytes (as
base64), each with constraints by `Annotated[..., msgspec.Meta(...)]` or annotated-types. Pydantic reads
a hint as a whole when there is anything of it in the hint that msgspec cannot read or keep: models and
dataclasses, unions of them, validators. A constraint that would not be enforced is refused. No hint,
`Any` and `object` stand for any JSON.
"""

from collections.abc import Mapping
from typing import Annotated, Any, cast

import msgspec

from zypher.errors import TargetError
from zypher.models import libraries
from zypher.models.hint_reader import (
    Hint,
    SchemaOf,
    any_json,
    library_schemas,
    msgspec_schemas,
    read_input_hint,
    read_output_hint,
)
from zypher.models.hints import Predict, input_parameter, python_signature, resolve, written
from zypher.models.input import InputDecoder
from zypher.models.libraries import Schema, UnenforcedConstraint
from zypher.models.user_error import headline

_POSSIBLE = (
    "use str, int, float, bool, list, dict, a dataclass, a TypedDict, a msgspec.Struct or a pydantic model, "
    "or no hint to take any JSON"
)


class Signature(msgspec.Struct, frozen=True):
    """What goes into a predict function and what comes out."""

    decoder: InputDecoder
    input_schema: Schema  # JSON Schema 2020-12
    output_schema: Schema
    components: Schema  # name -> JSON Schema; the schemas refer to it as #/components/schemas/NAME
    acceptance_schema: Schema | None  # all that the decoder takes, with components of its own; None: as `input_schema`


def read_signature(predict: Predict, owner: type | None, label: str) -> Signature:
    """The signature of `predict`, which messages call `label`; `owner` is the class that it is a method of.

    Raises `TargetError` when it does not take exactly one input, takes what JSON cannot give, or bears
    constraints that would not be enforced. An output hint that JSON Schema cannot describe is no error: it
    is described as any JSON.
    """
    signature = python_signature(predict, label)
    parameter = input_parameter(signature, label)
    try:
        input_hint = read_input_hint(_with_default(resolve(parameter.annotation, predict, owner), parameter.default))
        decoder = (
            InputDecoder(input_hint.reader.read) if input_hint.reader else InputDecoder.by_msgspec(input_hint.kind)
        )
    except UnenforcedConstraint as error:
        raise TargetError(
            f"{label} takes `{written(parameter)}`, in which {headline(error).removeprefix('UnenforcedConstraint: ')}: "
            "use `pydantic.Field` in a pydantic model or dataclass, or `msgspec.Meta`."
        ) from error
    except Exception as error:
        reason = headline(error).removeprefix("TypeError: ")
        raise TargetError(
            f"{label} takes `{written(parameter)}`, which JSON cannot give ({reason}): {_POSSIBLE}."
        ) from error
    try:
        output_hint = read_output_hint(resolve(signature.return_annotation, predict, owner))
    except Exception:  # the output itself is judged when it is encoded
        output_hint = Hint(Any, [])
    (input_schema, output_schema), components = _describe(input_hint, output_hint)
    return Signature(decoder, input_schema, output_schema, components, _acceptance(input_hint))


def _with_default(kind: object, default: object) -> object:
    library = libraries.types()
    return cast(Any, Annotated)[kind, default] if library is not None and library.is_field(default) else kind


def _describe(input_hint: Hint, output_hint: Hint) -> tuple[tuple[Schema, Schema], Schema]:
    wanted = [*input_hint.of_library("validation"), *output_hint.of_library("serialization")]
    kinds = tuple(Any if hint.reader else hint.kind for hint in (input_hint, output_hint))
    _, components = msgspec_schemas(kinds, any_json)
    prefix = ""
    known, definitions = library_schemas(wanted, prefix)
    if components.keys() & definitions:
        prefix = "pydantic."
        known, definitions = library_schemas(wanted, prefix)
    of_output = known[len(known) - len(output_hint.of_library("serialization")) :]
    of_input = known[: len(known) - len(of_output)]
    of_models = dict(zip(output_hint.models, of_output, strict=False)) | dict(
        zip(input_hint.models, of_input, strict=False)
    )
    (first, second), components = msgspec_schemas(kinds, _look_up(of_models))
    schemas = (of_input[0] if input_hint.reader else first, of_output[0] if output_hint.reader else second)
    return schemas, components | {prefix + name: schema for name, schema in definitions.items()}


def _acceptance(input_hint: Hint) -> Schema | None:
    library = libraries.types()
    if input_hint.reader:
        schema, components = input_hint.reader.acceptance("")
    elif library is not None and input_hint.models:
        lenient: dict[type, Schema] = {}
        inner = Schema()
        for number, model in enumerate(input_hint.models):
            lenient[model], more = library.reader(model).acceptance(f"pydantic.{number}.")
            inner |= more
        (schema,), components = msgspec_schemas((input_hint.kind,), _look_up(lenient))
        components |= inner
    else:
        return None
    return {**schema, "components": {"schemas": components}} if components else schema


def _look_up(known: Mapping[type, Schema]) -> SchemaOf:
    return lambda kind: known.get(kind) or any_json(kind)
