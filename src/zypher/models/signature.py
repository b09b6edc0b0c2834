"""A predict function's type hints as an input decoder and as JSON Schema.

Any type that msgspec reads is served: str, int, float, bool, None, list, tuple, set, dict, unions,
Literal, Enum, dataclass, TypedDict, NamedTuple, msgspec.Struct, datetime, UUID, Decimal, bytes (as
base64), each with constraints by `Annotated[..., msgspec.Meta(...)]` or annotated-types. Pydantic reads
a hint as a whole when there is anything of it in the hint that msgspec cannot read or keep: models and
dataclasses, unions of them, validators. A constraint that would not be enforced is refused. No hint,
`Any` and `object` stand for any JSON.
"""

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import GenericAlias
from typing import Annotated, Any, cast, get_args, get_origin

import msgspec

from zypher.errors import TargetError
from zypher.models import libraries
from zypher.models.hint_parts import is_form
from zypher.models.hint_reader import (
    Hint,
    SchemaOf,
    described,
    library_schemas,
    msgspec_schemas,
    read_input_hint,
    read_output_hint,
)
from zypher.models.hints import Predict, input_parameters, python_signature, resolve, written
from zypher.models.input import InputDecoder
from zypher.models.libraries import Schema, UnenforcedConstraint
from zypher.models.parameters import record_of
from zypher.models.user_error import headline

_POSSIBLE = (
    "use str, int, float, bool, list, dict, a dataclass, a TypedDict, a msgspec.Struct or a pydantic model, "
    "or no hint to take any JSON"
)


_INSTEAD = {
    "Path": "bytes for the content of a file",
    "Image": "bytes for the content of a file, and open it in `predict`",
    "Tensor": "list[float], or list[list[float]] and so on, and make the tensor in `predict`; or bytes for a file",
    "Iterator": "list[float] and the like, or an Iterator as the whole type of a parameter",
    "Series": "list[float], and make the series in `predict`",
    "DataFrame": "list[dict[str, float]] or a list of dataclasses, and make the frame in `predict`",
}


class Signature(msgspec.Struct, frozen=True):
    """What goes into a predict function and what comes out."""

    decoder: InputDecoder
    input_schema: Schema  # JSON Schema 2020-12
    output_schema: Schema
    components: Schema  # name -> JSON Schema; the schemas refer to it as #/components/schemas/NAME
    parameters: Sequence[inspect.Parameter]  # that take the input
    iterators: Collection[str]  # the names of those that take a list to iterate
    acceptance_schema: Schema | None  # all that the decoder takes, with components of its own; None: as `input_schema`


def read_signature(predict: Predict, owner: type | None, label: str) -> Signature:
    """The signature of `predict`, which messages call `label`; `owner` is the class that it is a method of.

    One parameter takes the input itself, several are its fields. Raises `TargetError` when there is none, when JSON
    cannot give one, or when a constraint would not be enforced. An output hint that JSON Schema cannot describe is no
    error: it is described as any JSON.
    """
    signature = python_signature(predict, label)
    parameters = input_parameters(predict, signature, label)
    shown = ", ".join(map(written, parameters))
    try:
        hints = [_with_default(resolve(p.annotation, predict, owner), p.default) for p in parameters]
        iterators = [p.name for p, hint in zip(parameters, hints, strict=True) if _is_iterator(hint)]
        input_hint = _input_hint(parameters, list(map(_as_given, parameters, hints)))
        decoder = (
            InputDecoder(input_hint.reader.read) if input_hint.reader else InputDecoder.by_msgspec(input_hint.kind)
        )
    except UnenforcedConstraint as error:
        raise TargetError(
            f"{label} takes `{shown}`, in which {headline(error).removeprefix('UnenforcedConstraint: ')}: "
            "use `pydantic.Field` in a pydantic model or dataclass, or `msgspec.Meta`."
        ) from error
    except Exception as error:
        reason = headline(error).removeprefix("TypeError: ")
        raise TargetError(
            f"{label} takes `{shown}`, which JSON cannot give ({reason}): {_possible(reason)}."
        ) from error
    try:
        output_hint = read_output_hint(resolve(signature.return_annotation, predict, owner))
    except Exception:  # the output itself is judged when it is encoded
        output_hint = Hint(Any, [])
    (input_schema, output_schema), components = _describe(input_hint, output_hint)
    return Signature(decoder, input_schema, output_schema, components, parameters, iterators, _acceptance(input_hint))


def _input_hint(parameters: Sequence[inspect.Parameter], hints: Sequence[object]) -> Hint:
    """Raises as `read_input_hint` does."""
    if len(hints) == 1:
        return read_input_hint(hints[0])
    named = {
        parameter.name: _field_hint(parameter.name, hint) for parameter, hint in zip(parameters, hints, strict=True)
    }
    defaults = {p.name: _default(p) for p in parameters if _default(p) is not p.empty}
    return read_input_hint(record_of(named, defaults))


def _is_iterator(hint: object) -> bool:
    return (get_origin(hint) or hint) is Iterator


def _as_given(parameter: inspect.Parameter, hint: object) -> object:
    """The hint of what JSON gives for a parameter."""
    if _is_iterator(hint):
        return GenericAlias(list, get_args(hint) or (Any,))
    if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
        return hint
    return get_args(hint)[0] if is_form(hint, "Unpack") else GenericAlias(dict, (str, hint))


def _field_hint(name: str, hint: object) -> object:
    """The hint; where a library reads it as a whole, a type of that library around it, so that others are not."""
    library = libraries.types()
    if library is None or (isinstance(hint, type) and library.is_model(hint)) or read_input_hint(hint).reader is None:
        return hint
    return library.wrapper(name, hint)


def _default(parameter: inspect.Parameter) -> object:
    library = libraries.types()
    if library is not None and library.is_field(parameter.default):
        return library.default_of(parameter.default, parameter.empty)
    return parameter.default


def _possible(reason: str) -> str:
    """What to write instead of a hint that JSON cannot give."""
    for kind, instead in _INSTEAD.items():
        if f".{kind}`" in reason:
            return f"use {instead}"
    return _POSSIBLE


def _with_default(kind: object, default: object) -> object:
    library = libraries.types()
    if library is None or not library.is_field(default):
        return kind
    return cast(Any, Annotated)[kind, library.without_default(default)]


def _describe(input_hint: Hint, output_hint: Hint) -> tuple[tuple[Schema, Schema], Schema]:
    wanted = [*input_hint.of_library("validation"), *output_hint.of_library("serialization")]
    kinds = tuple(Any if hint.reader else hint.kind for hint in (input_hint, output_hint))
    _, components = msgspec_schemas(kinds, described)
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
    return lambda kind: known.get(kind) or described(kind)
