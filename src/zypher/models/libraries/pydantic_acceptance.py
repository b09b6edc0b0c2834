"""What pydantic's validation takes of JSON, as JSON Schema: all of it, and maybe more.

Pydantic's own JSON Schema of a type is the one to document. It leaves out what validation takes
besides: other names of a field, numbers in texts, what a validator makes of anything. This one is
read from the validation's own plan, the core schema; a kind that is unknown here allows anything.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, cast

import msgspec

from zypher.models.libraries import REF, Schema

Core = Mapping[str, Any]

_DIGIT = "[0-9]"
_DIGIT_OR_WORD = "[0-9]|[nN][aA][nN]|[iI][nN][fF]"
_SCALARS = ["number", "string", "boolean"]
_ANY: Core = {"type": "any"}
_EXACT = 2**53  # up to here, an integer and the nearest float are the same number
_PLAIN_PATTERN = re.compile(r"(?!.*(\(\?|--))([\w \-^$+*?(){},|]|\[\^?[\w \-]+\])*", re.ASCII)  # the same everywhere
_NUMBER_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}
_CHANGES_TEXT = frozenset(["strip_whitespace", "to_lower", "to_upper"])
_CONFIG_CHANGES_TEXT = frozenset(["str_strip_whitespace", "str_to_lower", "str_to_upper"])


class _Scope(msgspec.Struct, frozen=True):
    """What the models around a schema are configured to."""

    on: frozenset[str] = frozenset()  # each of these makes something more lenient
    forbids_extra: bool = False

    def within(self, config: Core) -> "_Scope":
        on = {name for name, value in config.items() if value is True or value == "python-re"}
        return _Scope(self.on | on, config.get("extra_fields_behavior") == "forbid")


_OUTSIDE = _Scope()
_Rule = Callable[["Acceptance", Core, _Scope], Schema]


class Acceptance:
    """Core schemas as JSON Schema, and the components that they share."""

    def __init__(self, name: str) -> None:
        self.components: Schema = {}
        self._name = name  # what the name of each component begins with
        self._shared: dict[str, Core] = {}  # pydantic's reference -> what it refers to
        self._names: dict[str, str] = {}  # pydantic's reference -> the component's name

    def of(self, core: Core, scope: _Scope = _OUTSIDE) -> Schema:
        rule = _RULES.get(core["type"])
        return rule(self, core, scope) if rule else {}

    def define(self, cores: Sequence[Core], scope: _Scope) -> None:
        fresh = [core for core in cores if core["ref"] not in self._names]
        for core in fresh:
            self._names[core["ref"]] = f"{self._name}{len(self._names)}"
            self._shared[core["ref"]] = core
        for core in fresh:
            self.components[self._names[core["ref"]]] = self.of(core, scope)

    def has_default(self, core: Core) -> bool:
        """Whether a field may be missing."""
        seen: list[Core] = []
        while core not in seen:
            seen.append(core)
            if core["type"] == "default":
                return True
            core = self._shared.get(core.get("schema_ref", "")) or core.get("schema", core)
        return False

    def reference(self, core: Core) -> Schema:
        name = self._names.get(core["schema_ref"])
        return {"$ref": REF + name} if name else {}


def _inner(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return acceptance.of(core["schema"], scope)


def _definitions(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    acceptance.define(core["definitions"], scope)
    return acceptance.of(core["schema"], scope)


def _reference(acceptance: Acceptance, core: Core, _: _Scope) -> Schema:
    return acceptance.reference(core)


def _default(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return {} if core.get("on_error", "raise") != "raise" else _inner(acceptance, core, scope)


def _nullable(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return _any_of([_inner(acceptance, core, scope), {"type": "null"}])


def _union(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    choices = cast("list[Core | tuple[Core, str]]", core["choices"])
    cores = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
    return _any_of([acceptance.of(choice, scope) for choice in cores])


def _any_of(options: list[Schema]) -> Schema:
    return {"anyOf": options} if all(options) else {}


def _tagged_union(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    key, choices = core["discriminator"], cast("dict[object, Core]", core["choices"])
    options = {tag: acceptance.of(choice, scope) for tag, choice in choices.items()}
    if not isinstance(key, str) or not all(isinstance(tag, str) for tag in options):
        return _any_of(list(options.values()))
    cases = [{"if": {"properties": {key: {"const": tag}}}, "then": option} for tag, option in options.items()]
    return {"type": "object", "required": [key], "properties": {key: {"enum": list(options)}}, "allOf": cases}


def _type(*kinds: str) -> _Rule:
    def rule(_: Acceptance, __: Core, ___: _Scope) -> Schema:
        return {"type": [*kinds]}

    return rule


def _number_in_text(_: Acceptance, __: Core, ___: _Scope) -> Schema:
    return {"type": ["number", "string", "boolean"], "pattern": _DIGIT}


def _bool(_: Acceptance, core: Core, __: _Scope) -> Schema:
    return {"type": "boolean"} if core.get("strict") else {"type": ["boolean", "number", "string"]}


def _int(_: Acceptance, core: Core, __: _Scope) -> Schema:
    if core.get("strict"):
        return {"type": "integer"} | _bounds(core)
    return {"type": ["integer", "string", "boolean"], "pattern": _DIGIT} | _bounds(core)


def _float(_: Acceptance, core: Core, __: _Scope) -> Schema:
    if core.get("strict"):
        return {"type": "number"} | _bounds(core)
    return {"type": ["number", "string", "boolean"], "pattern": _DIGIT_OR_WORD} | _bounds(core)


def _bounds(core: Core) -> Schema:
    limits = {word: core[name] for name, word in _NUMBER_BOUNDS.items() if name in core}
    return {word: limit for word, limit in limits.items() if isinstance(limit, int | float) and abs(limit) < _EXACT}


def _str(_: Acceptance, core: Core, scope: _Scope) -> Schema:
    rules: Schema = {"type": "string"}
    if scope.on & {"coerce_numbers_to_str"} or core.get("coerce_numbers_to_str"):
        rules["type"] = ["string", "number", "boolean"]
    if not scope.on & _CONFIG_CHANGES_TEXT and not any(core.get(change) for change in _CHANGES_TEXT):
        rules |= _lengths(core, "minLength", "maxLength")
        pattern = core.get("pattern")
        rust = "regex_engine" not in scope.on and core.get("regex_engine") != "python-re"
        if rust and isinstance(pattern, str) and _PLAIN_PATTERN.fullmatch(pattern):
            rules["pattern"] = pattern
    return rules


def _lengths(core: Core, least: str, most: str) -> Schema:
    return {word: core[name] for name, word in (("min_length", least), ("max_length", most)) if name in core}


def _literal(_: Acceptance, core: Core, __: _Scope) -> Schema:
    expected = cast(list[object], core["expected"])
    return {"enum": expected} if all(type(value) in (str, int, bool) for value in expected) else {}


def _enum(_: Acceptance, core: Core, __: _Scope) -> Schema:
    values: list[object] = [member.value for member in core["members"]]
    if _makes_missing_members(core["cls"]) or not all(type(value) in (str, int) for value in values):
        return {}
    return {"enum": values} if all(type(value) is str for value in values) else {"type": _SCALARS}


def _makes_missing_members(kind: type[Enum]) -> bool:
    """Whether an enumeration makes members of other values."""
    return any("_missing_" in vars(base) for base in kind.__mro__ if base is not Enum)


def _list(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    items = cast(Core, core.get("items_schema", _ANY))
    rules: Schema = {"type": "array"} | _lengths(core, "minItems", "maxItems")
    if inner := acceptance.of(items, scope):
        rules["items"] = inner
    else:
        rules.pop("maxItems", None)  # a validator may leave items out
    return rules


def _set(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return {key: rule for key, rule in _list(acceptance, core, scope).items() if key != "maxItems"}


def _tuple(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    items = cast(list[Core], core["items_schema"])
    start = cast(int, core.get("variadic_item_index", len(items)))
    rules: Schema = {"type": "array"}
    if start:
        rules["prefixItems"] = [acceptance.of(item, scope) for item in items[:start]]
    if start == len(items):
        rules["maxItems"] = start
    if start == len(items) - 1:
        rules["items"] = acceptance.of(items[start], scope)
    return rules


def _dict(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    rules: Schema = {"type": "object"}
    if inner := acceptance.of(cast(Core, core.get("values_schema", _ANY)), scope):
        rules["additionalProperties"] = inner
    if "min_length" in core:
        rules["minProperties"] = core["min_length"]
    return rules


def _model(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return {} if core.get("custom_init") else _configured(acceptance, core, scope)


def _configured(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return _inner(acceptance, core, scope.within(core.get("config", {})))


def _model_fields(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return _object(acceptance, core, scope, core["fields"])


def _dataclass_args(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    fields = {field["name"]: field for field in core["fields"] if field.get("init", True)}
    return _object(acceptance, core, scope, fields)


def _typed_dict(acceptance: Acceptance, core: Core, scope: _Scope) -> Schema:
    return _object(acceptance, core, scope.within(core.get("config", {})), core["fields"])


def _object(acceptance: Acceptance, core: Core, scope: _Scope, fields: Mapping[str, Core]) -> Schema:
    properties: Schema = {}
    required: list[str] = []
    one_of_each: list[Schema] = []
    for name, field in fields.items():
        paths = _paths(name, field, scope)
        keys = list(dict.fromkeys(str(path[0]) for path in paths))
        properties |= {key: {} for key in keys if key not in properties}
        if len(paths) == len(paths[0]) == 1:
            properties[keys[0]] = acceptance.of(field["schema"], scope)
        if not field.get("required", not acceptance.has_default(field["schema"])):
            continue
        if len(keys) == 1:
            required += keys
        else:
            one_of_each.append({"anyOf": [{"required": [key]} for key in keys]})
    rules: Schema = {"type": "object", "properties": properties}
    if required:
        rules["required"] = required
    if one_of_each:
        rules["allOf"] = one_of_each
    if core.get("extra_behavior", "forbid" if scope.forbids_extra else None) == "forbid":
        rules["additionalProperties"] = False
    return rules


def _paths(name: str, field: Core, scope: _Scope) -> Sequence[Sequence[str | int]]:
    """Where in the object the field may be."""
    alias = field.get("validation_alias")
    if alias is None:
        return [[name]]
    by_name = [[name]] if scope.on & {"validate_by_name", "populate_by_name"} else []
    if isinstance(alias, str):
        return [[alias], *by_name]
    paths = cast(list[list[str | int]], alias if isinstance(alias[0], list) else [alias])
    return [*paths, *by_name]


_RULES: dict[str, _Rule] = {
    "definitions": _definitions,
    "definition-ref": _reference,
    "default": _default,
    "nullable": _nullable,
    "union": _union,
    "tagged-union": _tagged_union,
    "none": _type("null"),
    "bool": _bool,
    "int": _int,
    "float": _float,
    "decimal": _type("number", "string", "boolean", "array"),  # of a Decimal's sign, digits and exponent
    "str": _str,
    "bytes": _type("string"),
    **dict.fromkeys(["date", "time", "datetime", "timedelta"], _number_in_text),
    **dict.fromkeys(["uuid", "url", "multi-host-url", "json"], _type("string")),
    "literal": _literal,
    "enum": _enum,
    "list": _list,
    **dict.fromkeys(["set", "frozenset"], _set),
    "tuple": _tuple,
    "dict": _dict,
    "model": _model,
    "dataclass": _configured,
    "model-fields": _model_fields,
    "dataclass-args": _dataclass_args,
    "typed-dict": _typed_dict,
    "function-after": _inner,
    "custom-error": _inner,
    "chain": lambda acceptance, core, scope: acceptance.of(core["steps"][0], scope),
    "lax-or-strict": lambda acceptance, core, scope: acceptance.of(core["lax_schema"], scope),
    "json-or-python": lambda acceptance, core, scope: acceptance.of(core["json_schema"], scope),
}
