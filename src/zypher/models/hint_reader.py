"""What reads a type hint: msgspec, or the library that defines its types."""

from collections.abc import Callable
from contextlib import suppress
from typing import get_origin

import msgspec

from zypher.models import libraries
from zypher.models.constraints import add_constraints, outer_parts, refuse_constraints
from zypher.models.hint_parts import arguments_of, has_fields, parts
from zypher.models.libraries import REF, Reader, Schema, Side, UnenforcedConstraint

_SIDES: tuple[Side, Side] = ("validation", "serialization")

SchemaOf = Callable[[type], Schema]


class Hint(msgspec.Struct, frozen=True):
    """A type hint, and what reads it."""

    kind: object
    models: list[type]  # the classes in it that only a library can describe
    reader: Reader | None = None  # of the library that reads all of it; None when msgspec does

    def of_library(self, side: Side) -> list[tuple[object, Side]]:
        """What a library describes: all of it, or the classes."""
        return [(kind, side) for kind in ([self.kind] if self.reader else self.models)]


def read_input_hint(kind: object) -> Hint:
    """What reads an input.

    Raises whatever a library's description raises, `UnenforcedConstraint`, and TypeError for no JSON.
    """
    library = libraries.types()
    if library is None:
        return _of_constrained(kind)
    found = list(outer_parts(kind, library))
    of_library = [part for part in found if library.owns(part)]
    others = [part for part in found if isinstance(part, type) and not library.owns(part)]
    read, else_read = _of_constrained, _of_library
    # A hint with records of msgspec is read by msgspec, whatever else is in it.
    if not any(map(has_fields, others)) and not all(map(library.is_field, of_library)):
        read, else_read = _of_library, _of_constrained
    try:
        return read(kind)
    except Exception as error:
        if of_library or isinstance(error, UnenforcedConstraint):
            with suppress(Exception):  # the other may read all of its types, and enforce all of its constraints
                return else_read(kind)
        raise


def _of_constrained(kind: object) -> Hint:
    return _of_msgspec(add_constraints(kind), "validation")


def _of_library(kind: object) -> Hint:
    library = libraries.types()
    assert library is not None
    refuse_constraints(kind, library)
    library.schemas([(kind, "validation")], REF + "{model}")
    return Hint(kind, [], library.reader(kind))


def _of_msgspec(kind: object, side: Side) -> Hint:
    """Raises TypeError for what is not JSON."""
    library = libraries.types()
    _refuse_parameters(kind, side)
    models: dict[type, None] = {}

    def schema_of(kind: type) -> Schema:
        if kind is not object and libraries.schema_of(kind, side) is None:
            if library is None or not library.is_model(kind):
                raise TypeError(f"`{kind.__module__}.{kind.__qualname__}` is no type of JSON")
            models[kind] = None
        return described(kind)

    msgspec_schemas((kind,), schema_of)
    hint = Hint(kind, list(models))
    for each in _SIDES:  # some of the classes a library cannot describe either
        library_schemas(hint.of_library(each), "")
    return hint


def _refuse_parameters(hint: object, side: Side) -> None:
    """Raise TypeError for a type of a library with parameters that JSON cannot give, such as an array's dtype."""
    plain = get_origin(hint)
    if isinstance(plain, type) and libraries.schema_of(plain, side) and not libraries.schema_of(hint, side):
        raise TypeError(f"`{hint}` is no type of JSON")
    for inner in arguments_of(hint):
        _refuse_parameters(inner, side)


def read_output_hint(kind: object) -> Hint:
    """What describes an output. Raises whatever a library's description raises, and TypeError for no JSON."""
    library = libraries.types()
    try:
        return _of_msgspec(kind, "serialization")
    except Exception:
        if library is None or not any(map(library.owns, parts(kind))):
            raise
        library.schemas([(kind, "serialization")], REF + "{model}")
        return Hint(kind, [], library.reader(kind))


def described(kind: type) -> Schema:
    """The schema of a class that only a library can describe, any JSON for others."""
    return libraries.schema_of(kind, "serialization") or {"description": "Any JSON."}  # an empty one is none to msgspec


def msgspec_schemas(kinds: tuple[object, ...], schema_of: SchemaOf) -> tuple[tuple[Schema, ...], Schema]:
    return msgspec.json.schema_components(kinds, schema_hook=schema_of, ref_template=REF + "{name}")


def library_schemas(wanted: list[tuple[object, Side]], prefix: str) -> tuple[list[Schema], Schema]:
    library = libraries.types()
    return library.schemas(wanted, REF + prefix + "{model}") if library is not None and wanted else ([], {})
