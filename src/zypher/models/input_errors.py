"""Validation errors as one sentence: where an input does not fit, and what would.

Made from the kind of an error and its path: the validator's own messages repeat the caller's value.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import jsonschema_rs
import msgspec

from zypher.models.checked_schema import Schema, compiled, component

_LONGEST = 300  # characters of a path or a reason: keys are the caller's
_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")  # in the order of the sentence
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

_UNION = "union"  # a keyword of our own

Fields = Mapping[str, object]  # the details of an error's kind
Path = tuple[str | int, ...]


class InputErrors:
    """Explains what does not fit a checked schema, in time that grows with what precedes the first error.

    The validator would report every error of every option of a union. So a union becomes a keyword of our own, which
    only reports that no option fits; then its options are checked one by one.
    """

    def __init__(self, checked: Schema) -> None:
        self._checked = checked
        self._components = cast("dict[str, dict[str, Schema]]", checked["components"])["schemas"]
        self._unions: list[tuple[str, list[Schema]]] = []  # its keyword and its options
        self._schema = self._explained(checked)
        self._validators: dict[int, jsonschema_rs.Draft202012Validator] = {}
        self._keyword = {_UNION: _keyword(self)}

    def sentence(self, value: object) -> str:
        """Where the value does not fit and what would, such as `$.input.size must be an integer`."""
        error = self._first(self._schema, value)
        return "$.input does not fit the schema of the model." if error is None else self._describe(error, ())

    def fits(self, union: int, value: object) -> bool:
        """Whether a value fits as many options of a union as it must."""
        keyword, options = self._unions[union]
        fitting = (self._validator(option, explained=False).is_valid(value) for option in options)
        return any(fitting) if keyword == "anyOf" else sum(fitting) == 1

    def _explained(self, schema: object) -> Any:
        """The schema with the keyword of our own in place of each union."""
        if isinstance(schema, list):
            return [self._explained(each) for each in cast("list[object]", schema)]
        if not isinstance(schema, dict):
            return schema
        rules = cast("Schema", schema)
        unions = [key for key in ("anyOf", "oneOf") if isinstance(rules.get(key), list)]
        explained = {key: self._explained(rule) for key, rule in rules.items() if key not in unions}
        for key in unions[:1]:  # a second one, which is unusual, is not explained
            self._unions.append((key, cast("list[Schema]", rules[key])))
            explained[_UNION] = len(self._unions) - 1
        return explained

    def _first(self, schema: Schema, value: object) -> jsonschema_rs.ValidationError | None:
        try:
            self._validator(schema, explained=True).validate(value)
        except jsonschema_rs.ValidationError as error:
            return error
        return None

    def _validator(self, schema: Schema, *, explained: bool) -> jsonschema_rs.Draft202012Validator:
        key = id(schema) * 2 + explained  # the schemas live as long as this
        if key not in self._validators:
            whole = self._schema if explained else self._checked
            part = self._explained(schema) if explained and schema is not self._schema else schema
            rules = {"allOf": [part], "components": whole["components"]}
            self._validators[key] = compiled(rules, keywords=self._keyword) if explained else compiled(rules)
        return self._validators[key]

    def _describe(self, error: jsonschema_rs.ValidationError, above: Path) -> str:
        path = (*above, *error.instance_path)
        if error.kind.name != _UNION:
            fields = "" if path or error.kind.name != "type" else self._fields()
            return _sentence_at(path, _reason(error) + fields)
        number = int(cast("str", error.kind.as_dict()["message"]))
        return self._describe_union(self._unions[number][1], error.instance, path)

    def _fields(self) -> str:
        """The fields of an input that is an object, to follow "must be an object"."""
        rules = cast("list[Schema]", self._checked["allOf"])[0]
        reference = rules.get("$ref")
        if isinstance(reference, str):
            rules = self._components.get(component(reference), {})
        names = [f"`{name}`" for name in cast("Schema", rules.get("properties", {}))]
        if not names or rules.get("type") != "object":
            return ""
        return f" with {names[0] if len(names) == 1 else ', '.join(names[:-1]) + ' and ' + names[-1]}"

    def _describe_union(self, options: Sequence[Schema], value: object, path: Path) -> str:
        """The types that would fit; of several objects their tag, or the error of the only one with the right tag."""
        kinds: list[str] = []
        tags: list[tuple[str, list[object]]] = []
        candidates: list[jsonschema_rs.ValidationError] = []
        for option in options:
            error = self._first(option, value)
            if error is None:
                continue
            if error.kind.name == "type" and not error.instance_path:
                kinds += cast("list[str]", error.kind.as_dict()["types"])
            elif tag := self._other_tag(option, value):
                tags.append(tag)
            else:
                candidates.append(error)
        if len(candidates) == 1:
            return self._describe(candidates[0], path)
        if not candidates and tags and len({field for field, _ in tags}) == 1:
            return _sentence_at((*path, tags[0][0]), _one_of([value for _, values in tags for value in values]))
        if not candidates and kinds and not tags:
            return _sentence_at(path, "must be " + _typed(kinds))
        return _sentence_at(path, "must fit one of the types that are allowed here")

    def _other_tag(self, option: Schema, value: object) -> tuple[str, list[object]] | None:
        """The tag of an object and its allowed values, when the value has another."""
        reference = option.get("$ref")
        rules = self._components.get(component(reference), {}) if isinstance(reference, str) else option
        if not isinstance(value, dict):
            return None
        fields = cast("dict[str, object]", value)
        for field, rule in cast("dict[str, Schema | bool]", rules.get("properties", {})).items():
            if isinstance(rule, bool) or field not in cast("list[str]", rules.get("required", [])):
                continue
            values = [rule["const"]] if "const" in rule else cast("list[object]", rule.get("enum", []))
            if values and fields.get(field) not in values:
                return field, values
        return None


def _keyword(errors: InputErrors) -> type:
    class Union:
        """A custom keyword of jsonschema-rs."""

        def __init__(self, parent_schema: object, value: int, schema_path: object) -> None:
            self._number = value

        def validate(self, instance: object) -> None:
            if not errors.fits(self._number, instance):
                raise ValueError(self._number)

    return Union


def _sentence_at(path: Path, reason: str) -> str:
    return f"{_short('$.input' + ''.join(map(_step, path)))} {_short(reason)}."


def _step(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _reason(error: jsonschema_rs.ValidationError) -> str:
    reason = _REASONS.get(error.kind.name)
    return reason(error.kind.as_dict()) if reason else "does not fit the schema of the model"


def _typed(kinds: Sequence[str]) -> str:
    named = [_ARTICLES.get(kind, f"a {kind}") for kind in _TYPES if kind in kinds]
    return named[0] if len(named) == 1 else ", ".join(named[:-1]) + " or " + named[-1]


def _one_of(options: Sequence[object]) -> str:
    named = [msgspec.json.encode(option).decode() for option in options]
    return f"must be {named[0]}" if len(named) == 1 else "must be one of " + ", ".join(named)


def _bound(words: str, what: str = "") -> Callable[[Fields], str]:
    """A reason with the limit of its kind."""

    def reason(fields: Fields) -> str:
        limit = fields["limit"]
        unit = what.removesuffix("s") if limit == 1 else what
        return f"must {words} {msgspec.json.encode(limit).decode()} {unit}".rstrip()

    return reason


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
    "not": lambda _: "must not match what the model excludes",
    "falseSchema": lambda _: "must be left out",
}
