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
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return cast("Document", answer.json())


def test_the_document_is_valid_openapi(echo: httpx.Client) -> None:
    content = document(echo)
    assert str(content["openapi"]).startswith("3.1.")
    OpenAPIV31SpecValidator(cast("dict[str, object]", content)).validate()


def test_the_document_names_every_route(echo: httpx.Client) -> None:
    paths = document(echo)["paths"]
    assert {"/predict", "/predict/{prediction_id}", "/healthz/live", "/healthz/ready", "/metrics"} <= paths.keys()


def test_the_document_names_every_status(echo: httpx.Client) -> None:
    paths = document(echo)["paths"]
    posted = paths["/predict"]["post"]["responses"]
    assert {"200", "202", "400", "413", "415", "422", "500", "503"} <= posted.keys()
    got = paths["/predict/{prediction_id}"]["get"]["responses"]
    assert {"200", "400", "404", "410", "500"} <= got.keys()
    assert {"200", "503"} <= paths["/healthz/ready"]["get"]["responses"].keys()


def test_the_document_names_every_header(echo: httpx.Client) -> None:
    paths = document(echo)["paths"]
    accepted = paths["/predict"]["post"]["responses"]["202"]["headers"]
    told = {name.lower() for name in accepted}
    assert {"prediction-id", "location", "retry-after", "queue-position", "preference-applied"} <= told
    asked = cast("list[dict[str, str]]", paths["/predict"]["post"]["parameters"])
    assert {"async-mode", "prefer", "idempotency-key"} <= {each["name"].lower() for each in asked}
    assert "wait" in str(paths["/predict/{prediction_id}"]["get"]["parameters"])


def test_the_document_shows_the_users_examples(echo: httpx.Client) -> None:
    text = echo.get("/openapi.json").text
    for example in (
        "Request received. Processing asynchronously.",
        "Prediction is still being processed.",
        "Prediction ID not found.",
    ):
        assert example in text


def test_the_document_tells_the_models_types(serve: Serve) -> None:
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
    for link in loaded:
        asset = echo.get(str(page.url.join(link)))
        assert asset.status_code == 200, link
        assert asset.content
    assert "openapi.json" in page.text + "".join(echo.get(link).text for link in loaded if "init" in link)


def test_the_pages_style_loads_nothing_from_elsewhere(echo: httpx.Client) -> None:
    links = Links()
    page = echo.get("/swagger")
    links.feed(page.text)
    for link in links.found:
        if ".css" in link:
            style = echo.get(str(page.url.join(link))).text
            assert not re.search(r"url\(\s*['\"]?(?!data:|#)", style)
            assert "@import" not in style
