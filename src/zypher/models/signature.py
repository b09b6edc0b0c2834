"""A predict function's type hints as an input decoder and as JSON Schema.

Any type that msgspec reads is served: str, int, float, bool, None, list, tuple, set, dict, unions,
Literal, Enum, dataclass, TypedDict, NamedTuple, msgspec.Struct, datetime, UUID, Decimal, bytes (as
base64), each with constraints by `Annotated[..., msgspec.Meta(...)]` or annotated-types. Pydantic reads
a hint as a whole when there is anything of it in the hint that msgspec cannot read or keep: models and
dataclasses, unions of them, validators. A constraint that would not be enforced is refused. No hint,
`Any` and `object` stand for any JSON.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, cast

import msgspec

from zypher.errors import TargetError
from zypher.models import foreign
from zypher.models.constraints import outer_parts, refuse_words, with_words
from zypher.models.foreign import REF, Reader, Schema, Side, Unkept
from zypher.models.hints import Predict, input_parameter, python_signature, resolve, written
from zypher.models.input import InputDecoder
from zypher.models.parts import has_fields, parts
from zypher.models.user_error import headline

_POSSIBLE = (
    "use str, int, float, bool, list, dict, a dataclass, a TypedDict, a msgspec.Struct or a pydantic model, "
    "or no hint to take any JSON"
)

_SIDES: tuple[Side, Side] = ("validation", "serialization")

SchemaOf = Callable[[type], Schema]


class Signature(msgspec.Struct, frozen=True):
    """What goes into a predict function and what comes out."""

    decoder: InputDecoder
    input_schema: Schema  # JSON Schema 2020-12
    output_schema: Schema
    components: Schema  # name -> JSON Schema; the schemas refer to it as #/components/schemas/NAME
    acceptance_schema: Schema | None  # all that the decoder takes, with components of its own; None: as `input_schema`


class _Hint(msgspec.Struct, frozen=True):
    """A type hint, and who knows it."""

    kind: object
    models: list[type]  # the classes in it that only a library can describe
    reader: Reader | None = None  # of the library that knows all of it; None when msgspec does

    def of_library(self, side: Side) -> list[tuple[object, Side]]:
        """What a library describes: all of it, or the classes."""
        return [(kind, side) for kind in ([self.kind] if self.reader else self.models)]


def read_signature(predict: Predict, owner: type | None, label: str) -> Signature:
    """The signature of `predict`, which messages call `label`; `owner` is the class that it is a method of.

    Raises `TargetError` when it does not take exactly one input, takes what JSON cannot give, or bears
    constraints that would not be enforced. An output hint that JSON Schema cannot say is no error: it
    is described as any JSON.
    """
    signature = python_signature(predict, label)
    parameter = input_parameter(signature, label)
    try:
        taken = _taken(_with_default(resolve(parameter.annotation, predict, owner), parameter.default))
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
    given = _given(signature.return_annotation, predict, owner)
    (input_schema, output_schema), components = _describe(taken, given)
    return Signature(decoder, input_schema, output_schema, components, _acceptance(taken))


def _with_default(kind: object, default: object) -> object:
    library = foreign.types()
    return cast(Any, Annotated)[kind, default] if library is not None and library.is_field(default) else kind


def _taken(kind: object) -> _Hint:
    """Who reads an input. Raises whatever a library's description raises, `Unkept`, and TypeError for no JSON."""
    library = foreign.types()
    if library is None:
        return _of_worded(kind)
    found = list(outer_parts(kind, library))
    of_library = [part for part in found if library.reads(part)]
    # Classes that msgspec knows are read in its own way, whatever else stands in the hint.
    records = any(isinstance(part, type) and has_fields(part) for part in found if part not in of_library)
    read, else_read = _of_worded, _of_library
    if not records and not all(map(library.is_field, of_library)):
        read, else_read = _of_library, _of_worded
    try:
        return read(kind)
    except Exception as error:
        if of_library or isinstance(error, Unkept):
            with suppress(Exception):  # the other may know all of its types, and keep all of its constraints
                return else_read(kind)
        raise


def _of_worded(kind: object) -> _Hint:
    return _of_msgspec(with_words(kind))


def _of_library(kind: object) -> _Hint:
    library = foreign.types()
    assert library is not None
    refuse_words(kind, library)
    library.schemas([(kind, "validation")], REF + "{model}")
    return _Hint(kind, [], library.reader(kind))


def _of_msgspec(kind: object) -> _Hint:
    """Raises TypeError for what is not JSON."""
    library = foreign.types()
    models: dict[type, None] = {}

    def meet(kind: type) -> Schema:
        if kind is not object:
            if library is None or not library.is_model(kind):
                raise TypeError(f"`{kind.__module__}.{kind.__qualname__}` is no type of JSON")
            models[kind] = None
        return _any_json(kind)

    _schemas((kind,), meet)
    hint = _Hint(kind, list(models))
    for side in _SIDES:  # some of the classes a library cannot describe either
        _library_schemas(hint.of_library(side), "")
    return hint


def _given(annotation: object, predict: Predict, owner: type | None) -> _Hint:
    """The hint of an output, which is itself judged when it is encoded."""
    library = foreign.types()
    try:
        kind = resolve(annotation, predict, owner)
        try:
            return _of_msgspec(kind)
        except Exception:
            if library is None or not any(map(library.reads, parts(kind))):
                raise
            library.schemas([(kind, "serialization")], REF + "{model}")
            return _Hint(kind, [], library.reader(kind))
    except Exception:
        return _Hint(Any, [])


def _describe(taken: _Hint, given: _Hint) -> tuple[tuple[Schema, Schema], Schema]:
    wanted = [*taken.of_library("validation"), *given.of_library("serialization")]
    kinds = tuple(Any if hint.reader else hint.kind for hint in (taken, given))
    _, components = _schemas(kinds, _any_json)
    prefix = ""
    known, definitions = _library_schemas(wanted, prefix)
    if components.keys() & definitions:
        prefix = "pydantic."
        known, definitions = _library_schemas(wanted, prefix)
    of_given = known[len(known) - len(given.of_library("serialization")) :]
    of_taken = known[: len(known) - len(of_given)]
    of_models = dict(zip(given.models, of_given, strict=False)) | dict(zip(taken.models, of_taken, strict=False))
    (first, second), components = _schemas(kinds, _look_up(of_models))
    schemas = (of_taken[0] if taken.reader else first, of_given[0] if given.reader else second)
    return schemas, components | {prefix + name: schema for name, schema in definitions.items()}


def _library_schemas(wanted: list[tuple[object, Side]], prefix: str) -> tuple[list[Schema], Schema]:
    library = foreign.types()
    return library.schemas(wanted, REF + prefix + "{model}") if library is not None and wanted else ([], {})


def _acceptance(taken: _Hint) -> Schema | None:
    library = foreign.types()
    if taken.reader:
        schema, components = taken.reader.acceptance("")
    elif library is not None and taken.models:
        loose: dict[type, Schema] = {}
        inner = Schema()
        for number, model in enumerate(taken.models):
            loose[model], more = library.reader(model).acceptance(f"pydantic.{number}.")
            inner |= more
        (schema,), components = _schemas((taken.kind,), _look_up(loose))
        components |= inner
    else:
        return None
    return {**schema, "components": {"schemas": components}} if components else schema


def _look_up(known: Mapping[type, Schema]) -> SchemaOf:
    return lambda kind: known.get(kind) or _any_json(kind)


def _any_json(_: type) -> Schema:
    return {"description": "Any JSON."}  # msgspec takes an empty schema for none


def _schemas(kinds: tuple[object, ...], schema_of: SchemaOf) -> tuple[tuple[Schema, ...], Schema]:
    return msgspec.json.schema_components(kinds, schema_hook=schema_of, ref_template=REF + "{name}")
