"""Constraints in a type hint in msgspec's words, which it enforces and describes."""

import types
import typing
from collections.abc import Iterator, Sequence

import msgspec

from zypher.models import foreign
from zypher.models.foreign import Unkept
from zypher.models.parts import (
    annotated,
    fields_of,
    has_fields,
    inside,
    is_union,
    metadata_of,
    parts,
    union,
    with_inside,
)

_WORDS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")


def outer_parts(hint: object, library: foreign.Types) -> Iterator[object]:
    """The parts of a hint, those inside of the library's classes left out."""
    return parts(hint, lambda kind: () if library.reads(kind) else None)


def demands(part: object) -> bool:
    """Whether a part is a constraint that only msgspec enforces."""
    if not isinstance(part, msgspec.Meta) or part.extra == foreign.SAID_BESIDE:
        return False
    return any(getattr(part, word) is not None for word in _WORDS)


def refuse_words(hint: object, library: foreign.Types) -> None:
    """Raise `Unkept` for a constraint that the library would not enforce."""
    if lost := next(filter(demands, parts(hint, library.hints)), None):
        raise Unkept(f"`{lost!r}` is enforced by msgspec alone")


def with_words(hint: object) -> object:
    """The same hint, in which msgspec finds each constraint; the hints of fields are changed where they stand.

    Raises `Unkept` for a constraint that msgspec would not enforce.
    """
    changes: list[tuple[dict[str, object], dict[str, object]]] = []
    for kind in _classes_of_msgspec(hint):
        for written, fields in fields_of(kind):
            worded = {name: _worded(field) for name, field in fields.items()}
            changes.append((written, {name: field for name, field in worded.items() if field != fields[name]}))
    worded_hint = _worded(hint)
    for written, changed in changes:  # all or none
        written.update(changed)
    return worded_hint


def _classes_of_msgspec(hint: object) -> list[type]:
    library = foreign.types()
    if library is None:
        return [part for part in parts(hint) if isinstance(part, type)]
    found = [part for part in outer_parts(hint, library) if isinstance(part, type)]
    of_library = [kind for kind in found if library.reads(kind)]
    for kind in of_library:
        if not library.is_model(kind):
            raise Unkept(f"`{kind.__qualname__}` is enforced by pydantic alone")
        refuse_words(kind, library)
    return [kind for kind in found if kind not in of_library]


def _worded(hint: object) -> object:
    inner = inside(hint)
    worded = tuple(map(_worded, inner))
    if metadata := metadata_of(hint):
        return _with_metadata(worded[0], metadata)
    return hint if worded == inner else with_inside(hint, worded)


def _with_metadata(kind: object, metadata: Sequence[object]) -> object:
    flat = _flat(metadata)
    constraints = foreign.constraints()
    words = constraints.meta(flat) if constraints is not None else None
    descriptions = [item for item in flat if isinstance(item, msgspec.Meta) and item not in metadata]
    metadata = [*metadata, *descriptions]
    if words is None or words in metadata:
        return annotated(kind, metadata)
    if is_union(kind):  # msgspec wants constraints at each member
        members = (m if m is types.NoneType else _with_words(m, words) for m in typing.get_args(kind))
        return annotated(union(tuple(members)), metadata)
    return annotated(_with_words(kind, words), metadata)


def _flat(metadata: Sequence[object]) -> list[object]:
    library = foreign.types()
    flat: list[object] = []
    for item in metadata:
        flat += library.constraints(item) if library is not None and library.reads(item) else [item]
    return flat


def _with_words(kind: object, words: msgspec.Meta) -> object:
    plain: object = typing.get_origin(kind) or kind
    if plain is typing.Annotated:
        plain = inside(kind)[0]
    try:
        if isinstance(plain, type) and not has_fields(plain):
            msgspec.json.Decoder(annotated(plain, [words]))
            return annotated(kind, [words])
    except Exception:  # whatever the type has no such constraint for
        plain = kind
    constraint = ", ".join(f"{word}={limit!r}" for word in _WORDS if (limit := getattr(words, word)) is not None)
    raise Unkept(f"`{constraint}` is nothing that msgspec enforces on a `{getattr(plain, '__name__', plain)}`")
