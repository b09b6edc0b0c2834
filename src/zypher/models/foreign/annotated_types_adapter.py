"""Annotated-types' constraints in msgspec's words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import annotated_types as at
import msgspec

from zypher.models.foreign import SAID_BESIDE, Unkept

_WORDS: dict[type, str] = {
    at.Gt: "gt",
    at.Ge: "ge",
    at.Lt: "lt",
    at.Le: "le",
    at.MultipleOf: "multiple_of",
    at.MinLen: "min_length",
    at.MaxLen: "max_length",
}


def meta(metadata: Sequence[object]) -> msgspec.Meta | None:
    """As `foreign.Constraints` says."""
    words: dict[str, object] = {}
    for constraint in _flat(metadata):
        for word, limit in _words(constraint).items():
            if words.setdefault(word, limit) != limit:
                raise Unkept(f"`{word}` is given twice")
    try:
        return msgspec.Meta(**cast(Any, words), extra=SAID_BESIDE) if words else None
    except (TypeError, ValueError) as error:
        raise Unkept(f"the constraint {words} is not enforced ({error})") from error


def _flat(metadata: Iterable[object]) -> Iterator[object]:
    for item in metadata:
        if isinstance(item, at.GroupedMetadata):
            yield from _flat(item)
        else:
            yield item


def _words(constraint: object) -> dict[str, object]:
    if word := _WORDS.get(type(constraint)):
        return {word: getattr(constraint, word)}
    if isinstance(constraint, at.Timezone) and constraint.tz in (None, ...):
        return {"tz": constraint.tz is ...}
    if isinstance(constraint, at.BaseMetadata):
        raise Unkept(f"`{constraint!r}` is enforced by pydantic alone")
    return {}
