"""Pydantic's instances as JSON, in which bytes are base64 and numbers that are not finite can be seen.

Pydantic writes bytes as UTF-8 and NaN as null unless a class is configured otherwise, and nothing of another library.
Here each class is written by its own plan, the core schema, with additions where the author said nothing: bytes are
base64, NaN and the infinities are the words NaN, Infinity and -Infinity, and what has no type is written as it is
outside of pydantic.
"""

import base64
from collections.abc import Mapping
from contextvars import ContextVar
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, cast

import msgspec
import pydantic
from pydantic_core import PydanticSerializationError, SchemaError, SchemaSerializer, core_schema

from zypher.models.libraries import Plain

Node = Mapping[str, Any]  # of a core schema

_CONFIGURED = frozenset(["model", "dataclass", "typed-dict"])
_UNTYPED = frozenset(["any", "is-instance", "function-plain"])
_COLLECTIONS = {
    "list": ["items_schema"],
    "set": ["items_schema"],
    "frozenset": ["items_schema"],
    "dict": ["keys_schema", "values_schema"],
}
_BYTES = (bytes, bytearray, memoryview)
_NO_NODES = frozenset(["cls", "config", "default", "default_factory", "expected", "members", "metadata"])


class _Step(Enum):
    """What happens to the instance around another. Its cause is sought once: at each level, that would double."""

    WRITING = 1
    SEEKING = 2  # the cause of an error


_step: ContextVar[_Step | None] = ContextVar("step", default=None)


def json_of(value: object, plain: Plain) -> msgspec.Raw | dict[str, object]:
    """The JSON text of an instance, with the words above; what a class gives that has a `model_dump` of its own.

    `plain` makes dicts, lists and scalars of a value of any type.
    """
    kind = type(value)
    if (
        isinstance(value, pydantic.BaseModel)
        and cast(type[pydantic.BaseModel], kind).model_dump is not pydantic.BaseModel.model_dump
    ):
        return value.model_dump(by_alias=True)
    try:
        serializer = _serializer(kind, plain)
    except pydantic.errors.PydanticUserError as error:
        raise TypeError(str(error).partition("\n")[0]) from error
    step = _step.get()
    if step is _Step.SEEKING:
        if (cause := _cause(serializer, value, plain)) is not None:
            raise cause
        return {}
    before = _step.set(_Step.WRITING)
    try:
        return msgspec.Raw(serializer.to_json(value, by_alias=True, warnings=False, fallback=plain))
    except PydanticSerializationError as error:
        if step is _Step.WRITING:
            raise
        _step.set(_Step.SEEKING)
        raise _cause(serializer, value, plain) or error from None
    finally:
        _step.reset(before)


def _cause(serializer: SchemaSerializer, value: object, plain: Plain) -> BaseException | None:
    """What the user's code, or `plain`, raised: only the other way of writing an instance has it."""
    try:
        serializer.to_python(value, mode="json", by_alias=True, warnings=False, fallback=plain)
    except PydanticSerializationError as error:
        return error.__cause__
    except Exception as error:
        return error
    return None


@lru_cache(maxsize=256)
def _serializer(kind: type, plain: Plain) -> SchemaSerializer:
    core = vars(kind).get("__pydantic_core_schema__")
    if not isinstance(core, dict):
        core = pydantic.TypeAdapter(cast(Any, kind)).core_schema
    schema: Any = _Plan(plain).of(core, {})
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
        self._as_plain = written(lambda value: _finite_or_float(plain(value)))
        self._as_base64 = written(_base64)
        self._as_text = written(lambda value: value.decode() if isinstance(value, bytes) else plain(value))
        self._as_number = written(_finite_or_float)

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
        written = self._written(node, config)
        return made | {"serialization": written} if written else made

    def _written(self, node: Node, config: Node) -> Any:
        """How a node is written; None for as pydantic does."""
        kind: str = node["type"]
        own: Node | None = node.get("serialization")
        if own is not None:
            if own["type"] == "any":
                return self._as_plain
            if own["type"] in ("function-plain", "function-wrap") and "return_schema" not in own:
                returned = self._as_text if _is_of_pydantic(own["function"]) else self._as_plain
                return {**own, "return_schema": {"type": "any", "serialization": returned}}
            return None
        if kind in _UNTYPED:
            return self._as_plain
        if kind == "bytes" and "ser_json_bytes" not in config:
            return self._as_base64
        return self._as_number if kind == "decimal" else None

    def _anything(self) -> dict[str, Any]:
        return {"type": "any", "serialization": self._as_plain}


def _is_of_pydantic(function: object) -> bool:
    """Whether it is of a type of pydantic such as Base64Bytes, which makes bytes that are a text."""
    return str(getattr(function, "__module__", "")).partition(".")[0] == "pydantic"


def _base64(value: Any) -> object:
    return base64.b64encode(value).decode() if issubclass(type(value), _BYTES) else value


def _finite_or_float(value: object) -> object:
    """A Decimal that is not finite as the float, which is no text in JSON."""
    return float(value) if isinstance(value, Decimal) and not value.is_finite() else value
