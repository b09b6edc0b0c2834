"""Pydantic's instances as JSON's own values, in which bytes are base64 and numbers that are not finite can be seen.

Pydantic writes bytes as UTF-8 and NaN as null unless a class is configured otherwise, any key as some text, and nothing
of another library. Here each class is written by its own plan, the core schema, with additions where the author said
nothing: bytes are base64, NaN and the infinities stay what they are, what has no type is written as it is outside of
pydantic, and dicts have the keys that they may have there.
"""

import base64
import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import msgspec
import pydantic
from pydantic_core import PydanticSerializationError, SchemaError, SchemaSerializer, core_schema

from zypher.models.libraries import Plain
from zypher.models.output_errors import as_float

Node = Mapping[str, Any]  # of a core schema

_CONFIGURED = frozenset(["model", "dataclass", "typed-dict"])
_COLLECTIONS = {
    "list": ["items_schema"],
    "set": ["items_schema"],
    "frozenset": ["items_schema"],
    "dict": ["keys_schema", "values_schema"],
}
_BYTES = (bytes, bytearray, memoryview)
_TEXT: frozenset[object] = frozenset([str])
_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_NO_NODES = frozenset(["cls", "config", "default", "default_factory", "expected", "members", "metadata"])


class _Writing(msgspec.Struct):
    """What is known while an instance, and what is inside of it, is written."""

    made: dict[int, tuple[object, object]]  # of each instance inside: what is around one looks at it more than once
    raised: Exception | None = None  # by `plain`: pydantic may lose it


_writing: ContextVar[_Writing | None] = ContextVar("writing", default=None)


def json_of(value: object, plain: Plain) -> object:
    """An instance as dicts, lists and scalars; what a class gives that has a `model_dump` of its own.

    `plain` makes dicts, lists and scalars of a value of any type.
    """
    kind = type(value)
    if (
        isinstance(value, pydantic.BaseModel)
        and cast(type[pydantic.BaseModel], kind).model_dump is not pydantic.BaseModel.model_dump
    ):
        return value.model_dump(by_alias=True)
    writing = _writing.get()
    if writing is not None:
        if id(value) not in writing.made:
            writing.made[id(value)] = value, _written(value, plain, writing)  # kept, so that no other gets the same id
        return writing.made[id(value)][1]
    writing = _Writing({})
    before = _writing.set(writing)
    try:
        return _written(value, plain, writing)
    finally:
        _writing.reset(before)


def _written(value: object, plain: Plain, writing: _Writing) -> object:
    try:
        serializer = _serializer(type(value), plain)
    except pydantic.errors.PydanticUserError as error:
        raise TypeError(str(error).partition("\n")[0]) from error
    try:
        return serializer.to_python(value, mode="json", by_alias=True, warnings=False, fallback=_noting_errors(plain))
    except PydanticSerializationError as error:
        cause = error.__cause__ or writing.raised or error
    raise cause


def _noting_errors(plain: Plain) -> Plain:
    def call(value: object) -> object:
        try:
            return plain(value)
        except Exception as error:
            if writing := _writing.get():
                writing.raised = error
            raise

    return call


@lru_cache(maxsize=256)
def _serializer(kind: type, plain: Plain) -> SchemaSerializer:
    core = vars(kind).get("__pydantic_core_schema__")
    if not isinstance(core, dict):
        core = pydantic.TypeAdapter(cast(Any, kind)).core_schema
    schema: Any = _Plan(_noting_errors(plain)).of(core, {})
    config = core_schema.CoreConfig(ser_json_inf_nan="constants", ser_json_bytes="base64")
    try:
        return cast(Any, SchemaSerializer)(schema, config, _use_prebuilt=False)  # nor those of the classes inside
    except TypeError:  # of a version that has no such choice
        return SchemaSerializer(schema, config)
    except SchemaError:  # a plan of an unknown kind is left as it is
        return SchemaSerializer(cast(Any, core), config)


class _Plan:
    """Core schemas with the additions."""

    def __init__(self, plain: Plain) -> None:
        written = core_schema.plain_serializer_function_ser_schema
        self._plain = plain
        self._as_plain = written(plain)
        self._with_texts_as_keys = written(self._with_texts)
        self._as_base64 = written(_base64)
        self._as_text = written(lambda value: value.decode() if isinstance(value, bytes) else plain(value))
        self._as_number = written(_finite_or_float)
        self._configured = {
            "null": written(lambda value: _finite_or(lambda _: None, value, plain)),
            "strings": written(lambda value: _finite_or(_WORDS.get, value, plain)),
        }

    def of(self, part: Any, config: Node) -> Any:
        """The part of a core schema, which is inside of a class that is configured so."""
        match part:
            case {"type": str()}:
                return self._of_node(part, config)
            case dict():
                return {key: self.of(inner, config) for key, inner in cast(Node, part).items()}
            case list() | tuple():
                inner = [self.of(each, config) for each in cast(list[object], part)]
                return inner if isinstance(part, list) else tuple(inner)
            case _:
                return part

    def _of_node(self, node: Node, config: Node) -> dict[str, Any]:
        kind: str = node["type"]
        if kind in _CONFIGURED:
            config = node.get("config", {})
        made = {key: inner if key in _NO_NODES else self.of(inner, config) for key, inner in node.items()}
        if kind in _CONFIGURED:
            made["config"] = {"ser_json_inf_nan": "constants", **config}
        for key in _COLLECTIONS.get(kind, ()):
            made.setdefault(key, self._anything())
        if kind == "model-fields" and node.get("extra_behavior", config.get("extra_fields_behavior")) == "allow":
            made.setdefault("extras_schema", self._anything())
        written = self._written(node, made, config)
        return made | {"serialization": written} if written else made

    def _written(self, node: Node, made: Node, config: Node) -> Any:
        """How a node is written, `made` of which has the additions inside of it; None for as pydantic does."""
        if "serialization" in node:
            return self._written_by_author(node["serialization"], made["serialization"])
        writer: Any = None
        match node["type"]:
            case "any" | "is-instance" | "function-plain":
                writer = self._as_plain
            case "bytes" if "ser_json_bytes" not in config:
                writer = self._as_base64
            case "dict" if "serialization" not in node.get("keys_schema", {}):
                writer = {**self._with_texts_as_keys, "return_schema": {**made, "keys_schema": {"type": "any"}}}
            case "float":
                writer = self._configured.get(config.get("ser_json_inf_nan", ""))
            case "decimal":
                writer = self._as_number
            case _:
                pass
        return writer

    def _written_by_author(self, own: Node, made: Node) -> Any:
        if own["type"] == "any":
            return self._as_plain
        if own["type"] not in ("function-plain", "function-wrap") or "return_schema" in own:
            return None
        returned = self._as_text if _is_of_pydantic(own["function"]) else self._as_plain
        return {**made, "return_schema": {"type": "any", "serialization": returned}}

    def _with_texts(self, value: Any) -> object:
        """A dict with the keys that it has in JSON. Raises as `plain` does."""
        items = cast(dict[object, object], value)
        if not isinstance(value, dict) or _TEXT.issuperset(map(type, items)):
            return items
        keys = cast(dict[str, object], self._plain(dict.fromkeys(items, 0)))
        return dict(zip(keys, items.values(), strict=True))

    def _anything(self) -> dict[str, Any]:
        return {"type": "any", "serialization": self._as_plain}


def _is_of_pydantic(function: object) -> bool:
    """Whether it is of a type of pydantic such as Base64Bytes, which makes bytes that are a text."""
    return str(getattr(function, "__module__", "")).partition(".")[0] == "pydantic"


def _base64(value: Any) -> object:
    return base64.b64encode(value).decode() if issubclass(type(value), _BYTES) else value


def _finite_or(instead: Callable[[str], object], value: object, plain: Plain) -> object:
    if not isinstance(value, float):
        return plain(value)
    return float(value) if math.isfinite(value) else instead(str(float(value)))


def _finite_or_float(value: object) -> object:
    """A Decimal that is not finite as the float, which is no text in JSON."""
    return as_float(value) if isinstance(value, Decimal) and not value.is_finite() else value
