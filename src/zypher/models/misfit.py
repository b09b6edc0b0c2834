"""Why an input does not fit, in one sentence that says where and what would.

Made from the kind of an error and its path: the validator's own messages repeat the caller's value.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import jsonschema_rs
import msgspec

_LONGEST = 300  # characters of a path or a reason: keys are the caller's
_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")  # the order in which they are told
_ARTICLES = {"integer": "an integer", "array": "an array", "object": "an object", "null": "null"}
_FORMATS = {
    "base64": "base64",
    "date": "a date as 2024-12-31",
    "date-time": "an instant as 2024-12-31T23:59:59Z",
    "decimal": "a decimal number",
    "duration": "a duration as PT1.5S",
    "partial-time": "a time as 23:59:59",
    "time": "a time as 23:59:59Z",
    "uuid": "a UUID",
}

Fields = Mapping[str, object]  # what a kind says of an error


def sentence(error: jsonschema_rs.ValidationError) -> str:
    """Where an input does not fit and what would, such as `$.input.size must be an integer`."""
    union = _branches(error)
    if union is not None:
        return _of_union(error, union)
    return _said(error, _reason(error))


def _said(error: jsonschema_rs.ValidationError, reason: str, *more: str) -> str:
    path = "$.input" + "".join(_step(part) for part in (*error.instance_path, *more))
    return f"{_short(path)} {_short(reason)}."


def _step(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _reason(error: jsonschema_rs.ValidationError) -> str:
    say = _REASONS.get(error.kind.name)
    return say(error.kind.as_dict()) if say else "does not fit the schema of the model"


def _branches(error: jsonschema_rs.ValidationError) -> Sequence[Sequence[jsonschema_rs.ValidationError]] | None:
    """Why each option of a union does not fit."""
    if error.kind.name not in ("anyOf", "oneOf"):
        return None
    context = error.kind.as_dict().get("context", [])
    return [branch for branch in cast("list[list[jsonschema_rs.ValidationError]]", context) if branch]


def _of_union(error: jsonschema_rs.ValidationError, branches: Sequence[Sequence[jsonschema_rs.ValidationError]]) -> str:
    """The types that would fit; of several objects their tag, or what the only one that is meant lacks."""
    depth = len(error.instance_path)
    kinds = [kind for branch in branches for kind in _types_at(branch, depth)]
    tags = [tag for branch in branches if (tag := _tag_of(branch, depth)) is not None]
    meant = [branch for branch in branches if not _types_at(branch, depth) and _tag_of(branch, depth) is None]
    if len(meant) == 1:
        return sentence(meant[0][0])
    if not meant and tags and len({field for field, _ in tags}) == 1:
        options = [option for _, options in tags for option in options]
        return _said(error, _one_of(options), tags[0][0])
    if not meant and kinds and not tags:
        return _said(error, "must be " + _typed(kinds))
    return _said(error, "must fit one of the types that are allowed here")


def _types_at(branch: Sequence[jsonschema_rs.ValidationError], depth: int) -> list[str]:
    """The types that an option wants at the place of the union."""
    return [
        kind
        for error in branch
        if error.kind.name == "type" and len(error.instance_path) == depth
        for kind in cast("list[str]", error.kind.as_dict()["types"])
    ]


def _tag_of(branch: Sequence[jsonschema_rs.ValidationError], depth: int) -> tuple[str, list[object]] | None:
    """The field by which an option is told from others, and its values, when it is another one."""
    for error in branch:
        path = error.instance_path
        if len(path) != depth + 1 or not isinstance(path[-1], str):
            continue
        fields = error.kind.as_dict()
        if error.kind.name == "const":
            return path[-1], [fields["expected_value"]]
        if error.kind.name == "enum":
            return path[-1], cast("list[object]", fields["options"])
    return None


def _typed(kinds: Sequence[str]) -> str:
    named = [_ARTICLES.get(kind, f"a {kind}") for kind in _TYPES if kind in kinds]
    return named[0] if len(named) == 1 else ", ".join(named[:-1]) + " or " + named[-1]


def _one_of(options: Sequence[object]) -> str:
    named = [msgspec.json.encode(option).decode() for option in options]
    return f"must be {named[0]}" if len(named) == 1 else "must be one of " + ", ".join(named)


def _bound(words: str, what: str = "") -> Callable[[Fields], str]:
    """A reason with the limit of its kind."""

    def say(fields: Fields) -> str:
        limit = fields["limit"]
        unit = what.removesuffix("s") if limit == 1 else what
        return f"must {words} {msgspec.json.encode(limit).decode()} {unit}".rstrip()

    return say


def _unknown(fields: Fields) -> str:
    return "must not contain " + ", ".join(f"`{name}`" for name in cast("list[str]", fields["unexpected"]))


_REASONS: Mapping[str, Callable[[Fields], str]] = {
    "type": lambda fields: "must be " + _typed(cast("list[str]", fields["types"])),
    "enum": lambda fields: _one_of(cast("list[object]", fields["options"])),
    "const": lambda fields: _one_of([fields["expected_value"]]),
    "required": lambda fields: f"must contain `{fields['property']}`",
    "additionalProperties": _unknown,
    "unevaluatedProperties": _unknown,
    "minimum": _bound("be at least"),
    "maximum": _bound("be at most"),
    "exclusiveMinimum": _bound("be greater than"),
    "exclusiveMaximum": _bound("be less than"),
    "multipleOf": lambda fields: f"must be a multiple of {fields['multiple_of']}",
    "minLength": _bound("have at least", "characters"),
    "maxLength": _bound("have at most", "characters"),
    "minItems": _bound("have at least", "items"),
    "maxItems": _bound("have at most", "items"),
    "minProperties": _bound("have at least", "fields"),
    "maxProperties": _bound("have at most", "fields"),
    "uniqueItems": lambda _: "must not contain an item twice",
    "pattern": lambda fields: f"must match the pattern {fields['pattern']}",
    "format": lambda fields: f"must be {_FORMATS[str(fields['format'])]}",
    "contains": lambda _: "must contain an item that fits",
    "propertyNames": lambda _: "has a key that does not fit",
    "not": lambda _: "must not be what it is",
    "falseSchema": lambda _: "must be left out",
}
