"""What a type hint is made of."""

import types
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

_UNIONS = (typing.Union, types.UnionType)
_FIELDS = ("__dataclass_fields__", "__struct_fields__", "__attrs_attrs__", "__total__", "_fields")

HintsOf = Callable[[type], Sequence[object] | None]


def parts(hint: object, hints_of: HintsOf | None = None) -> Iterator[object]:
    """Each class in a hint and in the fields of its classes, and each piece of metadata in `Annotated`; once.

    `hints_of` gives the hints in a class, None for the ordinary ones.
    """
    pending = [hint]
    seen: dict[int, object] = {}  # kept, so that no other gets the same id
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen[id(each)] = each
        origin = typing.get_origin(each)
        if origin is None and isinstance(each, type):
            yield each
            special = hints_of(each) if hints_of else None
            pending.extend(_own_hints(each) if special is None else special)
        elif isinstance(origin, type):
            pending.append(origin)
        yield from metadata_of(each)
        pending.extend(arguments_of(each))


def _own_hints(kind: type) -> list[object]:
    return [field for _, fields in fields_of(kind) for field in fields.values()]


def metadata_of(hint: object) -> tuple[object, ...]:
    return cast(Any, hint).__metadata__ if typing.get_origin(hint) is typing.Annotated else ()


def arguments_of(hint: object) -> tuple[object, ...]:
    """The hints that another is made of."""
    match typing.get_origin(hint):
        case typing.Literal | typing.ClassVar:
            return ()
        case typing.Annotated:
            return (cast(Any, hint).__origin__,)
        case None:
            inner: object = getattr(hint, "__supertype__", None) or getattr(hint, "__value__", None)
            return (inner,) if inner is not None and not isinstance(hint, type) else ()
        case _:
            return typing.get_args(hint)


def replace_arguments(hint: object, inner: tuple[object, ...]) -> object:
    """The hint, made of others."""
    origin = typing.get_origin(hint)
    if is_union(hint):
        return union(inner)
    if origin is None:  # a name for another type
        return inner[0]
    if isinstance(hint, types.GenericAlias):
        return types.GenericAlias(cast(type, origin), inner)
    return cast(Any, hint).copy_with(inner)


def is_union(hint: object) -> bool:
    return typing.get_origin(hint) in _UNIONS


def is_form(hint: object, name: str) -> bool:
    """Whether it is a special form with parameters, of `typing` or of typing_extensions, such as `ReadOnly[int]`."""
    return getattr(typing.get_origin(hint), "_name", "") == name


def union(members: tuple[object, ...]) -> object:
    return cast(Any, typing.Union)[members]


def annotated(kind: object, metadata: Sequence[object]) -> object:
    return cast(Any, typing.Annotated)[(kind, *metadata)] if metadata else kind


def fields_of(kind: type) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Of a class with fields and of its bases: the hints as they are written there, and what they are."""
    if not has_fields(kind):
        return []
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except Exception:  # what reads the class later reports it
        return []
    written = [cast(dict[str, object], vars(base).get("__annotations__", {})) for base in kind.__mro__]
    return [(own, {name: hints[name] for name in own if name in hints}) for own in written if own]


def has_fields(kind: type) -> bool:
    return any(hasattr(kind, mark) for mark in _FIELDS)
