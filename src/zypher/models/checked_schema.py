"""What of a model's JSON Schema a server checks: as much as the model's own decoder enforces, and no more."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import cast
from uuid import UUID

import jsonschema_rs
import msgspec

Schema = dict[str, object]

_OF_ONE = frozenset(
    {
        *("not", "if", "then", "else", "contains", "propertyNames", "additionalProperties", "items"),
        *("unevaluatedItems", "unevaluatedProperties"),
    }
)
_OF_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_OF_NAMES = frozenset({"properties", "patternProperties", "dependentSchemas"})
_AS_IT_IS = frozenset(
    {
        *("type", "enum", "const", "required", "minLength", "maxLength", "multipleOf", "dependentRequired"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minContains", "maxContains"),
        *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    }
)
_REFERENCE = "#/components/schemas/"

_LINEAR = jsonschema_rs.RegexOptions()  # patterns in time that grows with the text, whatever the text


class CheckedSchema:
    """A schema to compile, and the patterns that were left out of it because they cannot be compiled."""

    def __init__(self, schema: Schema, components: Mapping[str, object]) -> None:
        self.patterns_left_out: list[str] = []
        self._components = components
        parts = {name: self._rules(part) for name, part in components.items()}
        self.schema: Schema = {"allOf": [self._rules(schema)], "components": {"schemas": parts}}

    def _rules(self, schema: object) -> Schema | bool:
        if not isinstance(schema, dict):
            return schema is not False
        rules = cast("Schema", schema)
        kept: Schema = {key: rule for key, rule in rules.items() if key in _AS_IT_IS}
        for key, rule in rules.items():
            if key in _OF_ONE:
                kept[key] = self._rules(rule)
            elif key in _OF_LIST:
                kept[key] = [self._rules(item) for item in cast("list[object]", rule)]
            elif key in _OF_NAMES:
                kept[key] = {name: self._rules(item) for name, item in cast("Schema", rule).items()}
        self._add_reference(rules, kept)
        self._add_text(rules, kept)
        self._drop_pattern_properties(kept)
        return _with_one_type(kept)

    def _add_reference(self, rules: Schema, kept: Schema) -> None:
        target = rules.get("$ref")
        if isinstance(target, str) and target.startswith(_REFERENCE) and component(target) in self._components:
            kept["$ref"] = target

    def _add_text(self, rules: Schema, kept: Schema) -> None:
        pattern = rules.get("pattern")
        if isinstance(pattern, str) and self._compiles(pattern):
            kept["pattern"] = pattern
        if rules.get("contentEncoding") == "base64":
            kept["format"] = "base64"
        elif rules.get("format") in FORMATS:
            kept["format"] = rules["format"]

    def _drop_pattern_properties(self, kept: Schema) -> None:
        """Without one of its patterns, unknown fields must be allowed: the pattern may have named them."""
        patterns = cast("Schema", kept.get("patternProperties", {}))
        dropped = [pattern for pattern in patterns if not self._compiles(pattern)]
        for pattern in dropped:
            del patterns[pattern]
        if dropped:
            kept.pop("additionalProperties", None)
            kept.pop("unevaluatedProperties", None)

    def _compiles(self, pattern: str) -> bool:
        try:
            jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_LINEAR)
        except jsonschema_rs.ValidationError:
            self.patterns_left_out.append(pattern)
            return False
        return True


def component(reference: str) -> str:
    """The component that a JSON Pointer names (RFC 6901)."""
    return reference.removeprefix(_REFERENCE).replace("~1", "/").replace("~0", "~")


def takes_every_text(checked: Schema) -> bool:
    """Whether a checked schema is so plain that each string fits; False where it would have to be tried."""
    (rules,) = cast("list[Schema | bool]", checked["allOf"])
    if isinstance(rules, bool):
        return rules
    kinds = rules.get("type", "string")
    return rules.keys() <= {"type"} and (kinds == "string" or (isinstance(kinds, list) and "string" in kinds))


def compiled(schema: Schema, keywords: dict[str, type] | None = None) -> jsonschema_rs.Draft202012Validator:
    """The validator of a checked schema. Raises `jsonschema_rs.ValidationError` for what is no schema."""
    return jsonschema_rs.Draft202012Validator(
        schema,
        formats=dict(FORMATS),
        validate_formats=True,
        pattern_options=_LINEAR,
        offline=True,
        keywords=keywords,
    )


def _with_one_type(kept: Schema) -> Schema:
    """A union of bare types as one list of types: the same, checked in one step and explained in one sentence."""
    options = kept.get("anyOf")
    if "type" in kept or not isinstance(options, list):
        return kept
    kinds: list[object] = []
    for option in cast("list[Schema | bool]", options):
        if isinstance(option, bool) or option.keys() != {"type"}:
            return kept
        kinds += option["type"] if isinstance(option["type"], list) else [option["type"]]
    return {key: rule for key, rule in kept.items() if key != "anyOf"} | {"type": kinds}


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
