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
from zypher.models import foreign
from zypher.models.foreign import Schema, Unkept
from zypher.models.hints import Predict, input_parameter, python_signature, resolve, written
from zypher.models.input import InputDecoder
from zypher.models.reading import Hint, SchemaOf, any_json, hint_given, hint_taken, library_schemas, msgspec_schemas
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
    constraints that would not be enforced. An output hint that JSON Schema cannot say is no error: it
    is described as any JSON.
    """
    signature = python_signature(predict, label)
    parameter = input_parameter(signature, label)
    try:
        taken = hint_taken(_with_default(resolve(parameter.annotation, predict, owner), parameter.default))
        decoder = InputDecoder(taken.reader.read) if taken.reader else InputDecoder.by_msgspec(taken.kind)
    except Unkept as error:
        raise TargetError(
            f"{label} takes `{written(parameter)}`, in which {headline(error).removeprefix('Unkept: ')}: "
            "use `pydantic.Field` in a pydantic model or dataclass, or `msgspec.Meta`."
        ) from error
    except Exception as error:
        reason = headline(error).removeprefix("TypeError: ")
        raise TargetError(
            f"{label} takes `{written(parameter)}`, which JSON cannot give ({reason}): {_POSSIBLE}."
        ) from error
    try:
        given = hint_given(resolve(signature.return_annotation, predict, owner))
    except Exception:  # the output itself is judged when it is encoded
        given = Hint(Any, [])
    (input_schema, output_schema), components = _describe(taken, given)
    return Signature(decoder, input_schema, output_schema, components, _acceptance(taken))


def _with_default(kind: object, default: object) -> object:
    library = foreign.types()
    return cast(Any, Annotated)[kind, default] if library is not None and library.is_field(default) else kind


def _describe(taken: Hint, given: Hint) -> tuple[tuple[Schema, Schema], Schema]:
    wanted = [*taken.of_library("validation"), *given.of_library("serialization")]
    kinds = tuple(Any if hint.reader else hint.kind for hint in (taken, given))
    _, components = msgspec_schemas(kinds, any_json)
    prefix = ""
    known, definitions = library_schemas(wanted, prefix)
    if components.keys() & definitions:
        prefix = "pydantic."
        known, definitions = library_schemas(wanted, prefix)
    of_given = known[len(known) - len(given.of_library("serialization")) :]
    of_taken = known[: len(known) - len(of_given)]
    of_models = dict(zip(given.models, of_given, strict=False)) | dict(zip(taken.models, of_taken, strict=False))
    (first, second), components = msgspec_schemas(kinds, _look_up(of_models))
    schemas = (of_taken[0] if taken.reader else first, of_given[0] if given.reader else second)
    return schemas, components | {prefix + name: schema for name, schema in definitions.items()}


def _acceptance(taken: Hint) -> Schema | None:
    library = foreign.types()
    if taken.reader:
        schema, components = taken.reader.acceptance("")
    elif library is not None and taken.models:
        loose: dict[type, Schema] = {}
        inner = Schema()
        for number, model in enumerate(taken.models):
            loose[model], more = library.reader(model).acceptance(f"pydantic.{number}.")
            inner |= more
        (schema,), components = msgspec_schemas((taken.kind,), _look_up(loose))
        components |= inner
    else:
        return None
    return {**schema, "components": {"schemas": components}} if components else schema


def _look_up(known: Mapping[type, Schema]) -> SchemaOf:
    return lambda kind: known.get(kind) or any_json(kind)
