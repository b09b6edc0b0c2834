"""What probes, Prometheus and people look at."""

import re

import httpx
import pytest

from tests.unit.http.conftest import Service
from tests.unit.http.scripted_engine import CARD
from zypher.queue_state import EngineWarning, WarningKind


async def test_the_service_is_live(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz/live")
    assert (response.status_code, response.json()) == (200, {"status": "live"})


async def test_the_service_is_ready_once_a_replica_is(client: httpx.AsyncClient, service: Service) -> None:
    ready = await client.get("/healthz/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    service.gateway.drain()
    draining = await client.get("/healthz/ready")
    assert (draining.status_code, draining.json()) == (503, {"error": "The server is stopping."})


async def test_a_warning_about_the_engine_stands_beside_ready(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.warned = (EngineWarning(WarningKind.EVICTS, "It forgets “a”; set b."),)
    for path in ("/healthz/ready", "/healthz/ready?run"):
        ready = await client.get(path)
        assert (ready.status_code, ready.headers["cache-control"]) == (200, "no-store")
        assert ready.json() == {"status": "ready", "warnings": ["It forgets “a”; set b."]}
    metrics = (await client.get("/metrics")).text
    assert 'zypher_engine_warnings{kind="evicts"} 1.0' in metrics
    assert 'zypher_engine_warnings{kind="not_persistent"} 0.0' in metrics
    service.engine.card, service.engine.workers = CARD, ()
    assert list((await client.get("/healthz/ready?run")).json()) == ["error"]


@pytest.mark.parametrize("query", ["run", "run=", "run=1", "a&run"])
async def test_readiness_to_run_needs_a_replica(client: httpx.AsyncClient, service: Service, query: str) -> None:
    service.engine.card, service.engine.workers = CARD, ()
    assert (await client.get("/healthz/ready")).status_code == 200
    refused = await client.get(f"/healthz/ready?{query}")
    assert (refused.status_code, "No worker" in refused.text) == (503, True)


async def test_prometheus_gets_its_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert "# TYPE" in response.text


@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
async def test_the_swagger_page_works_below_any_prefix(client: httpx.AsyncClient, prefix: str) -> None:
    page = await client.get("/swagger")
    assert page.headers["content-type"].startswith("text/html")
    assert "'self'" in page.headers["content-security-policy"]
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    files = [httpx.URL("http://test" + prefix + "/swagger").join(name) for name in references if name != "data:,"]
    assert len(files) == 4
    for file in files:
        response = await client.get(file.path.removeprefix(prefix))
        assert response.status_code == 200
        assert response.headers["content-type"] in {"text/css; charset=utf-8", "text/javascript; charset=utf-8"}


async def test_the_swagger_page_needs_no_internet(client: httpx.AsyncClient) -> None:
    start = (await client.get("/swagger/start.js")).text
    page = (await client.get("/swagger")).text
    assert "http" not in start + page
    assert "SwaggerUIBundle" in (await client.get("/swagger/swagger_bundle.js")).text


@pytest.mark.parametrize("name", ["redoc.js", "__init__.py", "a%2Fb", "%00"])
async def test_no_other_file_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/swagger/{name}")).status_code == 404


@pytest.mark.parametrize(("accept", "kind"), [("*/*", "application/json"), ("text/html,*/*;q=0.1", "text/html")])
async def test_the_index_serves_load_balancers_and_people(client: httpx.AsyncClient, accept: str, kind: str) -> None:
    response = await client.get("/", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(kind)
    assert "swagger" in response.text
