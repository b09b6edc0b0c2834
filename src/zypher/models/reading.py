"""Who reads a type hint: msgspec, or the library that its types are of."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from zypher.models import foreign
from zypher.models.constraints import outer_parts, refuse_words, with_words
from zypher.models.foreign import REF, Reader, Schema, Side, Unkept
from zypher.models.parts import has_fields, parts

_SIDES: tuple[Side, Side] = ("validation", "serialization")

SchemaOf = Callable[[type], Schema]


class Hint(msgspec.Struct, frozen=True):
    """A type hint, and who knows it."""

    kind: object
    models: list[type]  # the classes in it that only a library can describe
    reader: Reader | None = None  # of the library that knows all of it; None when msgspec does

    def of_library(self, side: Side) -> list[tuple[object, Side]]:
        """What a library describes: all of it, or the classes."""
        return [(kind, side) for kind in ([self.kind] if self.reader else self.models)]


def hint_taken(kind: object) -> Hint:
    """Who reads an input. Raises whatever a library's description raises, `Unkept`, and TypeError for no JSON."""
    library = foreign.types()
    if library is None:
        return _of_worded(kind)
    found = list(outer_parts(kind, library))
    of_library = [part for part in found if library.reads(part)]
    others = [part for part in found if isinstance(part, type) and not library.reads(part)]
    read, else_read = _of_worded, _of_library
    # Records that msgspec knows are read in its own way, whatever else stands in the hint.
    if not any(map(has_fields, others)) and not all(map(library.is_field, of_library)):
        read, else_read = _of_library, _of_worded
    try:
        return read(kind)
    except Exception as error:
        if of_library or isinstance(error, Unkept):
            with suppress(Exception):  # the other may know all of its types, and keep all of its constraints
                return else_read(kind)
        raise


def _of_worded(kind: object) -> Hint:
    return _of_msgspec(with_words(kind))


def _of_library(kind: object) -> Hint:
    library = foreign.types()
    assert library is not None
    refuse_words(kind, library)
    library.schemas([(kind, "validation")], REF + "{model}")
    return Hint(kind, [], library.reader(kind))


def _of_msgspec(kind: object) -> Hint:
    """Raises TypeError for what is not JSON."""
    library = foreign.types()
    models: dict[type, None] = {}

    def meet(kind: type) -> Schema:
        if kind is not object:
            if library is None or not library.is_model(kind):
                raise TypeError(f"`{kind.__module__}.{kind.__qualname__}` is no type of JSON")
            models[kind] = None
        return any_json(kind)

    msgspec_schemas((kind,), meet)
    hint = Hint(kind, list(models))
    for side in _SIDES:  # some of the classes a library cannot describe either
        library_schemas(hint.of_library(side), "")
    return hint


def hint_given(kind: object) -> Hint:
    """Who describes an output. Raises whatever a library's description raises, and TypeError for no JSON."""
    library = foreign.types()
    try:
        return _of_msgspec(kind)
    except Exception:
        if library is None or not any(map(library.reads, parts(kind))):
            raise
        library.schemas([(kind, "serialization")], REF + "{model}")
        return Hint(kind, [], library.reader(kind))


def any_json(_: type) -> Schema:
    return {"description": "Any JSON."}  # msgspec takes an empty schema for none


def msgspec_schemas(kinds: tuple[object, ...], schema_of: SchemaOf) -> tuple[tuple[Schema, ...], Schema]:
    return msgspec.json.schema_components(kinds, schema_hook=schema_of, ref_template=REF + "{name}")


def library_schemas(wanted: list[tuple[object, Side]], prefix: str) -> tuple[list[Schema], Schema]:
    library = foreign.types()
    return library.schemas(wanted, REF + prefix + "{model}") if library is not None and wanted else ([], {})
