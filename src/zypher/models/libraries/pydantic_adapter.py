"""Pydantic's types as input and output types, and its instances as JSON."""

from collections.abc import Sequence
from copy import copy
from typing import Any, cast

import annotated_types
import msgspec
import pydantic
from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticUndefined, core_schema

from zypher.models.hint_parts import annotated
from zypher.models.libraries import Plain, Schema, Side, UnenforcedConstraint, Wrapped
from zypher.models.libraries.pydantic_acceptance import Acceptance, Core
from zypher.models.libraries.pydantic_errors import invalid_value
from zypher.models.libraries.pydantic_output import json_of

_PACKAGES = frozenset(["pydantic", "pydantic_core"])
_HOOKS = ("__get_pydantic_core_schema__", "__get_pydantic_json_schema__")


def owns(part: object) -> bool:
    kind = part if isinstance(part, type) else type(part)
    if kind.__module__.partition(".")[0] in _PACKAGES or is_pydantic_dataclass(kind):
        return True
    return any(hasattr(part, hook) for hook in _HOOKS)


def is_model(kind: type) -> bool:
    return issubclass(kind, pydantic.BaseModel)


def is_field(default: object) -> bool:
    return isinstance(default, FieldInfo)


def hints(kind: type) -> list[object] | None:
    if not owns(kind):
        return None
    name = "model_fields" if is_model(kind) else "__pydantic_fields__"
    fields = cast(dict[str, FieldInfo], getattr(kind, name, {}))
    return [annotated(field.annotation, field.metadata) for field in fields.values()]


def constraints(metadata: object) -> Sequence[object]:
    """As `libraries.Types` describes."""
    items: list[object] = [metadata]
    if isinstance(metadata, FieldInfo) and metadata.is_required() and not _renamed(metadata):
        items = [*metadata.metadata, *_description(metadata)]
    elif isinstance(metadata, annotated_types.GroupedMetadata):
        items = list(metadata)
    for item in items:
        if owns(item):
            raise UnenforcedConstraint(f"`{metadata!r}` is enforced by pydantic alone")
    return items


def _description(field: FieldInfo) -> list[msgspec.Meta]:
    if not (field.title or field.description or field.examples):
        return []
    return [msgspec.Meta(title=field.title, description=field.description, examples=field.examples)]


def _renamed(field: FieldInfo) -> bool:
    return bool(field.alias or field.validation_alias or field.discriminator)


def default_of(field: FieldInfo, nothing: object) -> object:
    return nothing if field.is_required() else field.get_default(call_default_factory=True, validated_data={})


def without_default(field: FieldInfo) -> FieldInfo:
    required = copy(field)
    required.default, required.default_factory = PydanticUndefined, None
    return required


def wrapper(name: str, kind: object) -> type:
    base = cast(Any, pydantic.RootModel)[kind]
    return type(name, (Wrapped, base), {"__module__": __name__})


class _Reader:
    """As `libraries.Reader` describes."""

    def __init__(self, kind: object) -> None:
        self._adapter = _adapter(kind)

    def read(self, raw: bytes) -> object:
        try:
            return self._adapter.validate_json(raw)
        except pydantic.ValidationError as error:
            raise invalid_value(error, raw) from error

    def acceptance(self, name: str) -> tuple[Schema, Schema]:
        lenient = Acceptance(name)
        schema = lenient.of(cast(Core, self._adapter.core_schema))
        return schema, lenient.components


def reader(kind: object) -> _Reader:
    return _Reader(kind)


def _adapter(kind: object) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(cast(Any, kind))


def schemas(kinds: Sequence[tuple[object, Side]], ref_template: str) -> tuple[list[Schema], Schema]:
    """As `libraries.Types` describes."""
    wanted: list[tuple[int, Side, pydantic.TypeAdapter[Any]]]
    wanted = [(number, side, _adapter(kind)) for number, (kind, side) in enumerate(kinds)]
    found, root = pydantic.TypeAdapter.json_schemas(wanted, ref_template=ref_template, schema_generator=_Schemas)
    return [dict(found[number, side]) for number, side, _ in wanted], root.get("$defs", {})


class _Schemas(GenerateJsonSchema):
    """Pydantic's own, with bytes in outputs as `pydantic_output` writes them."""

    def bytes_schema(self, schema: core_schema.BytesSchema) -> dict[str, Any]:
        found = super().bytes_schema(schema)
        configured: object = getattr(getattr(self, "_config", None), "config_dict", {})
        if self.mode == "serialization" and "ser_json_bytes" not in cast(Schema, configured):
            found = {key: rule for key, rule in found.items() if key != "format"} | {"contentEncoding": "base64"}
        return found


def is_value(value: object) -> bool:
    return owns(type(value))


def plain(value: object, others: Plain) -> object:
    return json_of(value, others)
