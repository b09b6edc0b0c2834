"""GET /openapi.json: the contract in OpenAPI 3.1, a template, filled for the model that is served."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import cast

import msgspec
from msgspec import UNSET

from zypher import __version__
from zypher.gateway.gateway import Gateway
from zypher.http.request import Request
from zypher.http.response import Response
from zypher.model_card import ModelCard

Json = dict[str, object]

_ANY_MODEL = ModelCard("model", "", {}, {}, {}, 1)
_SAMPLE = "Sample input data for the model"
_ID = "0683vq0g6brgr1qh5n4l3k2p9s"


class Document:
    """The document, made once for each model card."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._card: ModelCard | None = None
        self._body = b""

    async def get(self, request: Request) -> Response:
        """Return the document; before a replica has loaded the model, it allows any JSON."""
        if self._gateway.card() is None:
            await self._gateway.readiness()  # looks again
        card = self._gateway.card() or _ANY_MODEL
        if card is not self._card:
            self._body = msgspec.json.encode(document(card))
            self._card = card
        return Response(200, self._body, ((b"cache-control", b"no-cache"),))


def document(card: ModelCard) -> Json:
    """The OpenAPI document of a service that serves this model."""
    placeholders: dict[str, object] = {
        "ZypherAI: {name}": f"ZypherAI: {card.name}",
        "{version}": __version__,
        "{description}": card.description or "Predictions of a model, synchronously and asynchronously.",
        "{input schema}": card.input_schema,
        "{output schema}": card.output_schema,
        **_examples(card),
    }
    filled = cast("dict[str, Json]", _substituted(_template(), placeholders))
    filled["components"]["schemas"] = card.components | cast("Json", filled["components"]["schemas"])
    return cast("Json", filled)


@cache
def _template() -> object:
    return msgspec.json.decode(files("zypher.http").joinpath("openapi.json").read_bytes())


def _substituted(part: object, placeholders: Mapping[str, object]) -> object:
    """The same with placeholders replaced; a key whose placeholder becomes UNSET is left out."""
    if isinstance(part, dict):
        filled = {key: _substituted(value, placeholders) for key, value in cast("Json", part).items()}
        return {key: value for key, value in filled.items() if value is not UNSET}
    if isinstance(part, list):
        return [_substituted(value, placeholders) for value in cast("list[object]", part)]
    return placeholders.get(part, part) if isinstance(part, str) else part


def _examples(card: ModelCard) -> Json:
    """The contract's own examples, where the model could take the input and could have made the output."""
    bounds = card.input_schema.keys() - {"type", "title", "description"}
    takes_text = not bounds and card.input_schema.get("type", "string") == "string"
    texts = card.output_schema.get("additionalProperties") == {"type": "string"}
    makes_texts = takes_text and texts and "required" not in card.output_schema
    output = {"input": _SAMPLE, "result": "1234"}
    record = {"prediction_id": _ID, "output": {"input": _SAMPLE, "result": "5678"}}
    return {
        "{input examples}": {"sample": {"value": {"input": _SAMPLE}}} if takes_text else UNSET,
        "{output examples}": {"sample": {"value": output}} if makes_texts else UNSET,
        "{prediction examples}": {"sample": {"value": record}} if makes_texts else UNSET,
    }
