"""Translates constraints in a type hint to msgspec's own, which it enforces and describes."""

import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from zypher.models import libraries
from zypher.models.hint_parts import (
    annotated,
    arguments_of,
    fields_of,
    has_fields,
    is_form,
    is_union,
    metadata_of,
    parts,
    replace_arguments,
    union,
)
from zypher.models.libraries import UnenforcedConstraint

_CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")


def outer_parts(hint: object, library: libraries.Types) -> Iterator[object]:
    """The parts of a hint, those inside of the library's classes left out."""
    return parts(hint, lambda kind: () if library.owns(kind) else None)


def is_msgspec_constraint(part: object) -> bool:
    """Whether a part is a constraint that only msgspec enforces."""
    if not isinstance(part, msgspec.Meta) or part.extra == libraries.REPEATED:
        return False
    return any(getattr(part, word) is not None for word in _CONSTRAINTS)


def refuse_constraints(hint: object, library: libraries.Types) -> None:
    """Raise `UnenforcedConstraint` for a constraint that the library would not enforce."""
    if lost := next(filter(is_msgspec_constraint, parts(hint, library.hints)), None):
        raise UnenforcedConstraint(f"`{lost!r}` is enforced by msgspec alone")


def add_constraints(hint: object) -> object:
    """The same hint, in which msgspec finds each constraint; the hints of fields are changed where they stand.

    Raises `UnenforcedConstraint` for a constraint that msgspec would not enforce.
    """
    changes: list[tuple[dict[str, object], dict[str, object]]] = []
    for kind in _classes_of_msgspec(hint):
        for written, fields in fields_of(kind):
            constrained = {name: _constrained(field) for name, field in fields.items()}
            changes.append((written, {name: field for name, field in constrained.items() if field != fields[name]}))
    constrained_hint = _constrained(hint)
    for written, changed in changes:  # all or none
        written.update(changed)
    return constrained_hint


def _classes_of_msgspec(hint: object) -> list[type]:
    library = libraries.types()
    if library is None:
        return [part for part in parts(hint) if isinstance(part, type)]
    found = [part for part in outer_parts(hint, library) if isinstance(part, type)]
    of_library = [kind for kind in found if library.owns(kind)]
    for kind in of_library:
        if not library.is_model(kind):
            raise UnenforcedConstraint(f"`{kind.__qualname__}` is enforced by pydantic alone")
        refuse_constraints(kind, library)
    return [kind for kind in found if kind not in of_library]


def _constrained(hint: object) -> object:
    inner = arguments_of(hint)
    constrained = tuple(map(_constrained, inner))
    if is_form(hint, "ReadOnly"):
        return constrained[0]
    if (typing.get_origin(hint) or hint) is Iterable:
        return types.GenericAlias(list, constrained or (Any,))
    if metadata := metadata_of(hint):
        return _constrained_by(constrained[0], metadata)
    return hint if constrained == inner else replace_arguments(hint, constrained)


def _constrained_by(kind: object, metadata: Sequence[object]) -> object:
    flat = _flat(metadata)
    constraints = libraries.constraints()
    meta = constraints.meta(flat) if constraints is not None else None
    descriptions = [item for item in flat if isinstance(item, msgspec.Meta) and item not in metadata]
    metadata = [*metadata, *descriptions]
    if meta is None or meta in metadata:
        return annotated(kind, metadata)
    if is_union(kind):  # msgspec wants constraints at each member
        members = (m if m is types.NoneType else _annotated_with(m, meta) for m in typing.get_args(kind))
        return annotated(union(tuple(members)), metadata)
    return annotated(_annotated_with(kind, meta), metadata)


def _flat(metadata: Sequence[object]) -> list[object]:
    library = libraries.types()
    flat: list[object] = []
    for item in metadata:
        flat += library.constraints(item) if library is not None and library.owns(item) else [item]
    return flat


def _annotated_with(kind: object, meta: msgspec.Meta) -> object:
    plain: object = typing.get_origin(kind) or kind
    if plain is typing.Annotated:
        plain = arguments_of(kind)[0]
    try:
        if isinstance(plain, type) and not has_fields(plain):
            msgspec.json.Decoder(annotated(plain, [meta]))
            return annotated(kind, [meta])
    except Exception:  # whatever the type has no such constraint for
        plain = kind
    constraint = ", ".join(f"{word}={limit!r}" for word in _CONSTRAINTS if (limit := getattr(meta, word)) is not None)
    raise UnenforcedConstraint(
        f"`{constraint}` is nothing that msgspec enforces on a `{getattr(plain, '__name__', plain)}`"
    )
