"""Pydantic's validation errors as one sentence with a path."""

import re
from collections.abc import Iterable, Sequence
from typing import cast

import msgspec
import pydantic
from pydantic_core import ErrorDetails

from zypher.models.libraries import InvalidValue

_OBJECT, _ARRAY = "must be an object", "must be an array"
_REASONS = {  # what stands in braces is what pydantic gives with the error
    **dict.fromkeys(["model_type", "model_attributes_type", "dataclass_type", "dict_type", "mapping_type"], _OBJECT),
    **dict.fromkeys(["list_type", "tuple_type", "set_type", "frozen_set_type"], _ARRAY),
    **dict.fromkeys(["int_type", "int_parsing", "int_from_float"], "must be an integer"),
    **dict.fromkeys(["float_type", "float_parsing"], "must be a number"),
    **dict.fromkeys(["bool_type", "bool_parsing"], "must be a boolean"),
    "string_type": "must be a string",
    "none_required": "must be null",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "union_tag_not_found": "must contain {discriminator}",
    "union_tag_invalid": "must have one of {expected_tags} as {discriminator}",
}
_MISSING = frozenset(["missing", "missing_argument", "missing_keyword_only_argument"])
_UNKNOWN = frozenset(["extra_forbidden", "unexpected_keyword_argument"])
_OF_THE_AUTHOR = re.compile("(Value error|Assertion failed), ")
_ABOUT = re.compile(r"[\w ]+? should ")


class _Reason(msgspec.Struct, frozen=True):
    """One of the reasons against a value."""

    path: tuple[int | str, ...]  # what of pydantic's place is in the value
    option: tuple[int | str, ...]  # the rest: which members of unions it tried
    reason: str
    of_another_kind: bool  # the value's own tag names another member of the union


def invalid_value(error: pydantic.ValidationError, raw: bytes) -> InvalidValue:
    """The most specific reason of a validation error of a JSON text."""
    details = error.errors(include_url=False, include_input=False)
    if details[0]["type"] == "json_invalid":  # what JSON is was judged before
        return InvalidValue("", "is nested too deeply: send a flatter one")
    value: object = msgspec.json.decode(raw)
    refusals = [_refusal(each, value) for each in details]
    first = min(refusals, key=lambda each: (each.of_another_kind, -len(each.path)))
    beside = [each for each in refusals if each.path == first.path]
    of_options = {each.option: each.reason for each in reversed(beside)}  # of each, the first
    reasons = dict.fromkeys(reversed(of_options.values()))
    return InvalidValue("".join(map(_step, first.path)), ", or ".join(reasons))


def _refusal(details: ErrorDetails, value: object) -> _Reason:
    kind, place = details["type"], details["loc"]
    of_another_kind = kind == "literal_error"
    if kind in _MISSING or kind in _UNKNOWN:
        path, option = _split(place[:-1], value)
        verb = "must contain" if kind in _MISSING else "must not contain"
        return _Reason(path, option, f"{verb} `{place[-1]}`", of_another_kind)
    path, option = _split(place, value)
    ours = _REASONS.get(kind)
    reason = ours.format_map(details.get("ctx", {})) if ours else _words_of(details["msg"])
    return _Reason(path, option, reason, of_another_kind)


def _words_of(message: str) -> str:
    if explained := _OF_THE_AUTHOR.match(message):
        return message[explained.end() :]
    return _ABOUT.sub("must ", message, count=1)


def _split(place: Iterable[int | str], value: object) -> tuple[tuple[int | str, ...], tuple[int | str, ...]]:
    """The steps that lead into the value, and the others, which are names of types."""
    path: list[int | str] = []
    option: list[int | str] = []
    for step in place:
        found = _inside(value, step)
        if found:
            path.append(step)
            (value,) = found
        else:
            option.append(step)
    return tuple(path), tuple(option)


def _inside(value: object, step: int | str) -> Sequence[object]:
    match value:
        case list() if isinstance(step, int):
            return cast(list[object], value)[step : step + 1]
        case dict() if step in value:
            return [cast(dict[int | str, object], value)[step]]
        case _:
            return []


def _step(key: int | str) -> str:
    return f"[{key}]" if isinstance(key, int) else f".{key}"
