"""The OpenAPI document and the page that shows it."""

import re
from html.parser import HTMLParser
from typing import cast

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.asking import client_of, target
from tests.conftest import Serve

Document = dict[str, dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]]


def document(client: httpx.Client) -> Document:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    return cast("Document", response.json())


def resolved(content: Document, part: object) -> dict[str, object]:
    """A part of the document, or what it refers to."""
    found = cast("dict[str, object]", part)
    if "$ref" not in found:
        return found
    target: object = content
    for step in str(found["$ref"]).removeprefix("#/").split("/"):
        target = cast("dict[str, object]", target)[step]
    return cast("dict[str, object]", target)


def parameters(content: Document, path: str, method: str) -> set[str]:
    """The names of a route's parameters, in lower case."""
    listed = cast("list[object]", content["paths"][path][method]["parameters"])
    return {str(resolved(content, each)["name"]).lower() for each in listed}


def test_the_document_is_valid_openapi(echo: httpx.Client) -> None:
    content = document(echo)
    assert str(content["openapi"]).startswith("3.1.")
    OpenAPIV31SpecValidator(cast("dict[str, object]", content)).validate()


def test_the_document_names_every_route(echo: httpx.Client) -> None:
    paths = document(echo)["paths"]
    assert {"/predict", "/predict/{prediction_id}", "/predictions/{prediction_id}"} <= paths.keys()
    assert {"/healthz/live", "/healthz/ready", "/metrics"} <= paths.keys()


def test_the_document_names_every_status(echo: httpx.Client) -> None:
    paths = document(echo)["paths"]
    posted = paths["/predict"]["post"]["responses"]
    assert {"200", "202", "400", "413", "415", "422", "500", "503"} <= posted.keys()
    got = paths["/predict/{prediction_id}"]["get"]["responses"]
    assert {"200", "400", "404", "410", "500"} <= got.keys()
    assert {"200", "503"} <= paths["/healthz/ready"]["get"]["responses"].keys()


def test_the_document_names_every_header(echo: httpx.Client) -> None:
    content = document(echo)
    paths = content["paths"]
    accepted = resolved(content, paths["/predict"]["post"]["responses"]["202"])
    told = {name.lower() for name in cast("dict[str, object]", accepted["headers"])}
    assert {"prediction-id", "location", "retry-after", "queue-position", "preference-applied"} <= told
    assert {"async-mode", "prefer", "idempotency-key"} <= parameters(content, "/predict", "post")
    assert {"prediction_id", "wait"} <= parameters(content, "/predict/{prediction_id}", "get")


def test_the_document_shows_the_users_examples(echo: httpx.Client) -> None:
    text = echo.get("/openapi.json").text
    for example in (
        "Request received. Processing asynchronously.",
        "Prediction is still being processed.",
        "Prediction ID not found.",
    ):
        assert example in text


def test_the_document_has_the_models_types(serve: Serve) -> None:
    with client_of(serve(target("typed.py:of_dataclass"))) as client:
        content = document(client)
        point = content["components"]["schemas"]["Point"]
        assert point["properties"].keys() == {"x", "y"}
        assert "#/components/schemas/Point" in str(content["paths"]["/predict"]["post"]["requestBody"])
        OpenAPIV31SpecValidator(cast("dict[str, object]", content)).validate()


class Links(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"src", "href"} and value]


def test_the_page_loads_nothing_from_elsewhere(echo: httpx.Client) -> None:
    page = echo.get("/swagger")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    links = Links()
    links.feed(page.text)
    loaded = [link for link in links.found if not link.startswith("data:")]
    assert any(".js" in link for link in loaded)
    assert any(".css" in link for link in loaded)
    assert not re.search(r"(https?:)?//[\w-]+\.\w", page.text)
    texts = {link: asset(echo, page, link) for link in loaded}
    assert all(texts.values())
    assert '"openapi.json"' in page.text + min(texts.values(), key=len)


def asset(client: httpx.Client, page: httpx.Response, link: str) -> str:
    response = client.get(str(page.url.join(link)))
    assert response.status_code == 200, link
    return response.text


def test_the_pages_style_loads_nothing_from_elsewhere(echo: httpx.Client) -> None:
    links = Links()
    page = echo.get("/swagger")
    links.feed(page.text)
    for link in links.found:
        if ".css" in link:
            style = asset(echo, page, link)
            addresses = re.findall(r"url\(\s*['\"]?([^'\")]*)", style)
            assert [address for address in addresses if not address.startswith(("data:", "#"))] == []
            assert "@import" not in style
