"""GET /openapi.json: the contract in OpenAPI 3.1, with the schemas of the model that is served."""

import msgspec

from zypher import __version__
from zypher.gateway.gateway import Gateway
from zypher.http.answer import Answer
from zypher.http.openapi_components import (
    ABOUT,
    HEADERS,
    ID,
    ID_SCHEMA,
    PARAMETERS,
    RESPONSES,
    Json,
    headers,
    json_content,
    record,
)
from zypher.http.request import Request
from zypher.presence import ModelCard

_ANY_MODEL = ModelCard("model", "", {}, {}, {}, 1)
_SAMPLE = "Sample input data for the model"
_ANYWHERE = {400: "BadRequest", 408: "RequestTimeout", 414: "TargetTooLong", 431: "HeadersTooLarge"}


class Document:
    """The document, made once for each model card."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._card: ModelCard | None = None
        self._body = b""

    async def get(self, request: Request) -> Answer:
        """Answer with the document; before a replica has loaded the model, it allows any JSON."""
        if self._gateway.card() is None:
            await self._gateway.readiness()  # looks again
        card = self._gateway.card() or _ANY_MODEL
        if card is not self._card:
            self._body = msgspec.json.encode(document(card))
            self._card = card
        return Answer(200, self._body, ((b"cache-control", b"no-cache"),))


def document(card: ModelCard) -> Json:
    """The OpenAPI document of a service that serves this model."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"ZypherAI: {card.name}",
            "version": __version__,
            "description": card.description or "Predictions of a model, synchronously and asynchronously.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],  # relative, so that it also holds behind a proxy's path prefix
        "tags": [
            {"name": "predictions", "description": "Run the model: now, or to look later."},
            {"name": "service", "description": "How the service itself is doing."},
        ],
        "paths": {
            "/predict": {"post": _post(card)},
            "/predict/{prediction_id}": {"get": _get(card)},
            "/healthz/live": {"get": _live()},
            "/healthz/ready": {"get": _ready()},
            "/metrics": {"get": _metrics()},
            "/openapi.json": {"get": _this_document()},
        },
        "components": {
            "schemas": card.components,
            "headers": HEADERS,
            "parameters": PARAMETERS,
            "responses": RESPONSES,
        },
    }


def _post(card: ModelCard) -> Json:
    samples: Json = {"sample": {"input": _SAMPLE}} if _takes_text(card) else {}
    output: Json = {
        "description": "The model's own output.",
        "headers": headers(*ABOUT, "Preference-Applied"),
        "content": json_content(card.output_schema, **_output_samples(card, "1234")),
    }
    named = {202: "Accepted", 410: "Gone", 413: "TooLarge", 415: "WrongType", 422: "Unprocessable"}
    return {
        "operationId": "predict",
        "tags": ["predictions"],
        "summary": "Run the model on an input",
        "description": "Waits for the output, unless the headers ask for a 202.",
        "parameters": _parameters("Async-Mode", "Prefer", "Idempotency-Key"),
        "requestBody": {"required": True, "content": json_content(record(input=card.input_schema), **samples)},
        "responses": _responses(output, named | {500: "Failed", 503: "Unavailable"}),
    }


def _get(card: ModelCard) -> Json:
    samples = {name: {"prediction_id": ID, "output": output} for name, output in _output_samples(card, "5678").items()}
    output: Json = {
        "description": "The prediction has an output.",
        "headers": headers(*ABOUT),
        "content": json_content(record(prediction_id=ID_SCHEMA, output=card.output_schema), **samples),
    }
    named = {400: "Pending", 404: "NotFound", 410: "Gone", 422: "Unprocessable", 500: "Failed", 503: "Unavailable"}
    return {
        "operationId": "get_prediction",
        "tags": ["predictions"],
        "summary": "Look at a prediction",
        "description": "Answers at once, or with `wait` as soon as the prediction has ended.",
        "parameters": _parameters("prediction_id", "wait"),
        "responses": _responses(output, named),
    }


def _live() -> Json:
    live: Json = {"description": "It does.", "headers": headers("Cache-Control"), "content": _status("live")}
    return _service("live", "Whether the server answers at all", live, {})


def _ready() -> Json:
    ready: Json = {"description": "It would.", "headers": headers("Cache-Control"), "content": _status("ready")}
    return _service("ready", "Whether a prediction sent now would run", ready, {503: "NotReady"})


def _metrics() -> Json:
    page: Json = {
        "description": "In the text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
    return _service("metrics", "The service in numbers", page, {503: "Unavailable"})


def _this_document() -> Json:
    this: Json = {
        "description": "In OpenAPI 3.1.",
        "headers": headers("Cache-Control"),
        "content": json_content({"type": "object"}),
    }
    return _service("openapi", "This document", this, {})


def _service(operation_id: str, summary: str, answer: Json, named: dict[int, str]) -> Json:
    return {
        "operationId": operation_id,
        "tags": ["service"],
        "summary": summary,
        "responses": _responses(answer, named | {500: "Internal"}),
    }


def _status(word: str) -> Json:
    return json_content(record(status={"const": word}), **{word: {"status": word}})


def _parameters(*names: str) -> list[Json]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _responses(ok: Json, named: dict[int, str]) -> Json:
    """Every response of an operation by its status: the 200, and those in the components."""
    others = {str(status): {"$ref": f"#/components/responses/{name}"} for status, name in (_ANYWHERE | named).items()}
    return dict(sorted({"200": ok, **others}.items()))


def _takes_text(card: ModelCard) -> bool:
    """Whether any text is an input, as far as the schema says."""
    bounds = card.input_schema.keys() - {"type", "title", "description"}
    return not bounds and card.input_schema.get("type", "string") == "string"


def _output_samples(card: ModelCard, result: str) -> Json:
    """The contract's own example of an output, where the model could have made it."""
    texts = card.output_schema.get("additionalProperties") == {"type": "string"}
    if not (_takes_text(card) and texts and "required" not in card.output_schema):
        return {}
    return {"sample": {"input": _SAMPLE, "result": result}}
