"""JSON Schema 2020-12 as the draft 7 that fastjsonschema compiles.

What draft 7 cannot say is left out, which makes a schema more lenient and never stricter: the
replica, which decodes the input, is strict.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import cast
from uuid import UUID

import msgspec

Schema = dict[str, object] | bool
Names = Mapping[str, str]  # a reference -> the same in draft 7

_SAME = frozenset(
    {
        *("type", "enum", "const", "required", "minLength", "maxLength", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    }
)
_OF_ONE = frozenset(["not", "if", "then", "else", "contains", "propertyNames", "additionalProperties", "items"])
_OF_LIST = frozenset(["allOf", "anyOf", "oneOf"])
_OF_NAMES = frozenset(["properties", "patternProperties"])


def draft7(schema: object, components: Mapping[str, object]) -> dict[str, object]:
    """The schema, and within it the components that it refers to as #/components/schemas/NAME."""
    keys = {f"#/components/schemas/{name}": f"c{number}" for number, name in enumerate(components)}
    names = {reference: f"#/definitions/{key}" for reference, key in keys.items()}
    definitions = dict(zip(keys.values(), (_translate(part, names) for part in components.values()), strict=True))
    return {"allOf": [_translate(schema, names)], "definitions": definitions}


def _translate(schema: object, names: Names) -> Schema:
    if not isinstance(schema, dict):
        return schema is not False
    rules = cast(dict[str, object], schema)
    if "$ref" in rules:
        return _translate_reference(rules, names)
    known: dict[str, object] = {key: rule for key, rule in rules.items() if key in _SAME}
    for key, rule in rules.items():
        if key in _OF_ONE:
            known[key] = _translate(rule, names)
        elif key in _OF_LIST:
            known[key] = [_translate(item, names) for item in cast(list[object], rule)]
        elif key in _OF_NAMES:
            known[key] = {name: _translate(item, names) for name, item in cast(dict[str, object], rule).items()}
    return _merge_bare_types(known | _prefix(rules, known, names) | _of_text(rules))


def _translate_reference(rules: dict[str, object], names: Names) -> Schema:
    """A reference with its siblings, which draft 7 would ignore."""
    beside = _translate({key: rule for key, rule in rules.items() if key != "$ref"}, names)
    target = names.get(str(rules["$ref"]))
    if target is None:
        return beside
    return {"allOf": [{"$ref": target}, beside]} if beside else {"$ref": target}


def _prefix(rules: dict[str, object], known: dict[str, object], names: Names) -> dict[str, object]:
    if "prefixItems" not in rules:
        return {}
    items = [_translate(item, names) for item in cast(list[object], rules["prefixItems"])]
    return {"items": items, "additionalItems": known.get("items", True)}


def _of_text(rules: dict[str, object]) -> dict[str, object]:
    known: dict[str, object] = {}
    if _compiles(rules.get("pattern")):
        known["pattern"] = rules["pattern"]
    if rules.get("contentEncoding") == "base64":
        known["format"] = "base64"
    elif rules.get("format") in FORMATS:
        known["format"] = rules["format"]
    return known


def _compiles(pattern: object) -> bool:
    if not isinstance(pattern, str):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _merge_bare_types(known: dict[str, object]) -> dict[str, object]:
    """`anyOf` of bare types as a list of these: the same, with a better message."""
    options = known.get("anyOf")
    if "type" in known or not isinstance(options, list):
        return known
    kinds: list[object] = []
    for option in cast(list[Schema], options):
        if isinstance(option, bool) or option.keys() != {"type"}:
            return known
        kinds.append(option["type"])
    return {key: rule for key, rule in known.items() if key != "anyOf"} | {"type": kinds}


def _reads(kind: type) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            msgspec.convert(text, kind)
        except msgspec.ValidationError:
            return False
        return True

    return check


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "base64": _reads(bytes),
    "date": _reads(date),
    "date-time": _reads(datetime),
    "decimal": _reads(Decimal),
    "duration": lambda text: re.fullmatch(r"(?i)[-+]?P[\dYMWDTHS.,]+", text) is not None,
    "partial-time": _reads(time),
    "time": _reads(time),
    "uuid": _reads(UUID),
}
