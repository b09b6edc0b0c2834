"""The document is valid, and as complete as the table of routes."""

import re
from typing import cast

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.unit.http.conftest import Service
from zypher.http.app import prediction_routes
from zypher.http.openapi import Json, document
from zypher.model_card import ModelCard
from zypher.settings import HttpSettings

FOR_PEOPLE = {"/", "/swagger", "/swagger/{asset}"}
TEXT: Json = {"type": "string"}
CARDS = [
    ModelCard("mock", "", TEXT, {"type": "object", "additionalProperties": TEXT}, {}, 1000),
    ModelCard("any", "Takes anything.", {}, {}, {}, 1),
    ModelCard(
        "digits",
        "Reads a digit.",
        {"$ref": "#/components/schemas/Image"},
        {"type": "integer"},
        {"Image": {"type": "object", "properties": {"pixels": {"type": "array", "items": {"type": "number"}}}}},
        1,
    ),
]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_document_is_valid(card: ModelCard) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document(card)).iter_errors()] == []


def test_every_route_for_programs_is_documented(service: Service) -> None:
    routes = prediction_routes(service.gateway, HttpSettings())
    served = {path: set(methods) - {"HEAD"} for path, methods in routes.items() if path not in FOR_PEOPLE}
    paths = cast("dict[str, Json]", document(CARDS[0])["paths"])
    assert {path: {method.upper() for method in methods} for path, methods in paths.items()} == served


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/predict", "post", "200 202 400 408 410 413 414 415 422 431 500 503 504 505"),
        ("/predict/{prediction_id}", "get", "200 400 404 408 410 414 422 431 500 503 504 505"),
        ("/predict/{prediction_id}", "delete", "200 202 400 404 408 409 414 431 500 503 505"),
        ("/predictions/{prediction_id}", "get", "200 400 404 408 414 431 500 503 505"),
        ("/healthz/ready", "get", "200 400 408 414 431 500 503 505"),
    ],
)
def test_every_status_is_documented(path: str, method: str, statuses: str) -> None:
    operation = cast("dict[str, dict[str, dict[str, Json]]]", document(CARDS[0])["paths"])[path][method]
    assert " ".join(operation["responses"]) == statuses


def test_the_examples_are_those_of_the_contract() -> None:
    text = str(document(CARDS[0]))
    for words in ("Sample input data for the model", "'1234'", "'5678'", "Prediction is still being processed."):
        assert words in text
    assert "Sample input" not in str(document(CARDS[2]))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_examples_fit_their_schemas(card: ModelCard) -> None:
    whole = document(card)
    contents = [content for content in _contents(whole) if "examples" in content]
    assert contents
    for content in contents:
        schema = {**cast("Json", content["schema"]), "components": whole["components"]}
        for example in cast("dict[str, Json]", content["examples"]).values():
            jsonschema.validate(example["value"], schema)


async def test_the_document_follows_the_model(client: httpx.AsyncClient, service: Service) -> None:
    workers = service.engine.workers
    service.engine.workers = ()
    assert list((await client.get("/openapi.json")).json()["components"]["schemas"]) == ["ServiceError", "Cancellation"]
    assert service.gateway.card() is None
    service.engine.workers = workers
    assert (await client.get("/openapi.json")).json()["info"]["description"] == "Say it louder."


def _contents(node: object) -> list[Json]:
    """Every media type object below this node."""
    if isinstance(node, list):
        return [content for item in cast("list[object]", node) for content in _contents(item)]
    if not isinstance(node, dict):
        return []
    here = cast("Json", node)
    found = cast("dict[str, Json]", here["content"]) if isinstance(here.get("content"), dict) else {}
    return [*found.values(), *[content for value in here.values() for content in _contents(value)]]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_error_refers_to_one_schema(card: ModelCard) -> None:
    components = cast("dict[str, dict[str, dict[str, Json]]]", document(card)["components"])
    assert "ServiceError" in components["schemas"]
    for name, response in components["responses"].items():
        content = cast("dict[str, Json]", response["content"])["application/json"]
        is_error = content["schema"] == {"$ref": "#/components/schemas/ServiceError"}
        assert is_error == (name != "Accepted"), name


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_no_hole_stays_open(card: ModelCard) -> None:
    assert not re.search(r"\{[a-z]+( [a-z]+)?\}", str(document(card)).replace("{prediction_id}", ""))


def test_a_model_may_have_a_type_of_the_same_name() -> None:
    card = ModelCard("m", "", {"$ref": "#/components/schemas/Error"}, {}, {"Error": {"type": "integer"}}, 1)
    schemas = cast("dict[str, Json]", document(card)["components"])["schemas"]
    assert schemas["Error"] == {"type": "integer"}
