"""Pydantic's models as input and output types, and their instances as plain values."""

from collections.abc import Mapping, Sequence

import pydantic
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from zypher.models.foreign import Misfit

Model = type[pydantic.BaseModel]


def is_model(kind: type) -> bool:
    return issubclass(kind, pydantic.BaseModel)


def definitions(
    inputs: Sequence[Model], outputs: Sequence[Model], ref_template: str
) -> tuple[Mapping[type, dict[str, object]], dict[str, object]]:
    """As `foreign.Types` says. A model that is both input and output is described as input."""
    modes: dict[Model, JsonSchemaMode] = dict.fromkeys(outputs, "serialization")
    modes.update(dict.fromkeys(inputs, "validation"))
    schemas, root = models_json_schema(list(modes.items()), ref_template=ref_template)
    return {model: dict(schema) for (model, _), schema in schemas.items()}, root.get("$defs", {})


def validate(model: Model, value: object) -> pydantic.BaseModel:
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Misfit("".join(map(_step, first["loc"])), first["msg"]) from error


def is_value(value: object) -> bool:
    return isinstance(value, pydantic.BaseModel)


def plain(value: pydantic.BaseModel) -> object:
    return value.model_dump(mode="json", by_alias=True)


def _step(key: int | str) -> str:
    return f"[{key}]" if isinstance(key, int) else f".{key}"
