"""Libraries that a model may use and that we do not install.

Each has an adapter that imports it at its top; the adapter is imported only after the model has
imported the library itself, so that nobody pays for what they do not use.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Protocol, cast


class Values(Protocol):
    """What a library's objects are in JSON."""

    def is_value(self, value: object) -> bool: ...

    def plain(self, value: object) -> object:
        """The value as what msgspec encodes, or as another value that is nearer to it."""
        ...


class Types(Protocol):
    """What a library's classes are as input and output types."""

    def is_model(self, kind: type) -> bool: ...

    def definitions(
        self, inputs: Sequence[type], outputs: Sequence[type], ref_template: str
    ) -> tuple[Mapping[type, dict[str, object]], dict[str, object]]:
        """The schema of each class, and the components these refer to by `ref_template`, which holds `{model}`."""
        ...

    def validate(self, kind: type, value: object) -> object:
        """The value as an instance of the class. Raises `Misfit`, and whatever the user's validators raise."""
        ...


class Misfit(ValueError):
    """A value that a library's class refuses."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path  # from the instance on, such as `.items[3]`
        self.reason = reason


def values() -> list[Values]:
    """The adapters of the libraries whose values can exist by now."""
    return [cast(Values, found) for library in ("numpy", "pydantic") if (found := _adapter_of_loaded(library))]


def types() -> Types | None:
    """The adapter of the library whose classes can exist by now."""
    return cast(Types | None, _adapter_of_loaded("pydantic"))


def _adapter_of_loaded(library: str) -> object:
    return adapter(library) if library in sys.modules else None


@cache
def adapter(library: str) -> object:
    """A library's adapter; None when the library is of a version that it does not know, such as pydantic 1."""
    try:
        return import_module(f"zypher.models.{library}_adapter")
    except ImportError:
        return None
