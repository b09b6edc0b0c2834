"""Libraries that a model may use and that we do not install.

Each has an adapter that imports it at its top; the adapter is imported only after the model has
imported the library itself: an unused one costs nothing.

numpy_adapter.py            its scalars and arrays as plain values
numpy_input.py              the same as input types
pandas_adapter.py           its frames as records, its series and scalars as plain values
annotated_types_adapter.py  its constraints as msgspec's
pydantic_adapter.py         its types as input and output types
pydantic_acceptance.py      what its validation takes, as JSON Schema
pydantic_output.py          its instances as JSON
pydantic_errors.py          what its validation refuses, as a sentence
"""

import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Literal, Protocol, cast

import msgspec

Schema = dict[str, object]
REF = "#/components/schemas/"  # how a schema refers to a component
Side = Literal["validation", "serialization"]
Plain = Callable[[object], object]


_OF_ARRAYS = ("numpy", "pandas")
_OF_VALUES = (*_OF_ARRAYS, "pydantic")

# Marks a msgspec.Meta that repeats another library's constraints beside it.
REPEATED: dict[str, object] = {"repeated": True}


class Values(Protocol):
    """What a library's objects are in JSON."""

    def is_value(self, value: object) -> bool: ...

    def plain(self, value: object, others: Plain) -> object:
        """The value as one that msgspec encodes, or as one a step closer to that; NaN for a time that is none.

        `others` makes dicts, lists and scalars of what is in it, of whatever library.
        """
        ...


class Arrays(Protocol):
    """The types of a library of arrays as input and output types."""

    def schema(self, kind: object, side: Side) -> Schema | None:
        """The JSON Schema of one of its types, which may have parameters; None where JSON has no such thing."""
        ...

    def read(self, kind: object, value: object) -> object:
        """The value of JSON as an input of a type that has a schema as an input. Raises `InvalidValue`."""
        ...


class Reader(Protocol):
    """Reads inputs of one type."""

    def read(self, raw: bytes) -> object:
        """The value of JSON bytes. Raises `InvalidValue`, and whatever the user's validators raise."""
        ...

    def acceptance(self, name: str) -> tuple[Schema, Schema]:
        """JSON Schema that allows whatever `read` takes, and maybe more; and the components that it refers to.

        `name` begins the name of each component.
        """
        ...


class Types(Protocol):
    """What a library's types are as input and output types."""

    def owns(self, part: object) -> bool:
        """Whether a class, or a piece of metadata in `Annotated`, means more to the library than to anyone else."""
        ...

    def is_model(self, kind: type) -> bool:
        """Whether the class is unknown to msgspec, so that the library can read it inside of what msgspec reads."""
        ...

    def is_field(self, default: object) -> bool:
        """Whether a parameter's default carries constraints of its type."""
        ...

    def hints(self, kind: type) -> list[object] | None:
        """The hints of the fields of one of its classes, None for a class of others."""
        ...

    def constraints(self, metadata: object) -> Sequence[object]:
        """The metadata as annotated-types' constraints, and msgspec's descriptions.

        Raises `UnenforcedConstraint` when there is more in it.
        """
        ...

    def default_of(self, field: object, nothing: object) -> object:
        """The default of such a field, `nothing` without one."""
        ...

    def without_default(self, field: object) -> object:
        """The same constraints without a default."""
        ...

    def wrapper(self, name: str, kind: object) -> type:
        """A model of the library whose only content is a value of this type; `unwrapped` gives it back."""
        ...

    def reader(self, kind: object) -> Reader:
        """Raises whatever the library raises for a type that it cannot read."""
        ...

    def schemas(self, kinds: Sequence[tuple[object, Side]], ref_template: str) -> tuple[list[Schema], Schema]:
        """The schema of each type, and the components these refer to by `ref_template`, which holds `{model}`."""
        ...


class Constraints(Protocol):
    """The constraints in a library's metadata in `Annotated`."""

    def meta(self, metadata: Sequence[object]) -> msgspec.Meta | None:
        """All of it as one `msgspec.Meta`, None for nothing. Raises `UnenforcedConstraint` for the rest."""
        ...


class InvalidValue(ValueError):
    """A value that a library's type refuses."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path  # from the instance on, such as `.items[3]`
        self.reason = reason  # such as `must be an object`


class UnenforcedConstraint(TypeError):
    """A constraint of a type hint that would not be enforced."""


def values() -> list[Values]:
    """The adapters of the libraries whose values can exist by now."""
    return [cast(Values, found) for library in _OF_VALUES if (found := _adapter_of_loaded(library))]


def arrays() -> list[Arrays]:
    """The adapters of the libraries whose arrays can exist by now."""
    return [cast(Arrays, found) for library in _OF_ARRAYS if (found := _adapter_of_loaded(library))]


def schema_of(kind: object, side: Side) -> Schema | None:
    """The schema of an array's type, or of what is in one; None of any other."""
    return next((schema for library in arrays() if (schema := library.schema(kind, side)) is not None), None)


def types() -> Types | None:
    """The adapter of the library whose types can exist by now."""
    return cast(Types | None, _adapter_of_loaded("pydantic"))


def constraints() -> Constraints | None:
    """The adapter of the library whose metadata can exist by now."""
    return cast(Constraints | None, _adapter_of_loaded("annotated_types"))


class Wrapped:
    """A value that a library has read, in a model of that library."""

    root: object


def unwrapped(value: object) -> object:
    """The value of a wrapper, and any other as it is."""
    return value.root if isinstance(value, Wrapped) else value


def _adapter_of_loaded(library: str) -> object:
    return adapter(library) if library in sys.modules else None


@cache
def adapter(library: str) -> object:
    """A library's adapter; None for an unsupported version, such as pydantic 1."""
    try:
        return import_module(f"zypher.models.libraries.{library}_adapter")
    except ImportError:
        return None
