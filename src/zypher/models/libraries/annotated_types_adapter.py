"""Annotated-types' constraints as msgspec's."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import annotated_types as at
import msgspec

from zypher.models.libraries import REPEATED, UnenforcedConstraint

_CONSTRAINTS: dict[type, str] = {
    at.Gt: "gt",
    at.Ge: "ge",
    at.Lt: "lt",
    at.Le: "le",
    at.MultipleOf: "multiple_of",
    at.MinLen: "min_length",
    at.MaxLen: "max_length",
}


def meta(metadata: Sequence[object]) -> msgspec.Meta | None:
    """As `libraries.Constraints` describes."""
    meta: dict[str, object] = {}
    for constraint in _flat(metadata):
        for word, limit in _meta_of(constraint).items():
            if meta.setdefault(word, limit) != limit:
                raise UnenforcedConstraint(f"`{word}` is given twice")
    try:
        return msgspec.Meta(**cast(Any, meta), extra=REPEATED) if meta else None
    except (TypeError, ValueError) as error:
        raise UnenforcedConstraint(f"the constraint {meta} is not enforced ({error})") from error


def _flat(metadata: Iterable[object]) -> Iterator[object]:
    for item in metadata:
        if isinstance(item, at.GroupedMetadata):
            yield from _flat(item)
        else:
            yield item


def _meta_of(constraint: object) -> dict[str, object]:
    if word := _CONSTRAINTS.get(type(constraint)):
        return {word: getattr(constraint, word)}
    if isinstance(constraint, at.Timezone) and constraint.tz in (None, ...):
        return {"tz": constraint.tz is ...}
    if isinstance(constraint, at.BaseMetadata):
        raise UnenforcedConstraint(f"`{constraint!r}` is enforced by pydantic alone")
    return {}
