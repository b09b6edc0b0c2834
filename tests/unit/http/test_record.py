"""The record of a prediction, in each state."""

import asyncio
import re
from datetime import UTC, datetime
from typing import cast

import httpx
import jsonschema
import pytest
from msgspec.structs import replace

from tests.fake_clock import eventually
from tests.source import ROOT
from tests.unit.http.conftest import Service
from tests.unit.http.scripted_engine import CARD, failed, succeeded
from zypher.http.openapi import Json, document
from zypher.model_card import revision_of
from zypher.prediction import Event, EventKind, FailureKind, Outcome, Prediction, Status

STARTED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
FINISHED_AT = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)


async def accepted(client: httpx.AsyncClient, service: Service) -> Prediction:
    await client.post("/predict", json={"input": "hello"}, headers={"Async-Mode": "true"})
    return service.engine.only


def schema() -> Json:
    """That of a record, of a model that may return anything."""
    paths = cast("dict[str, dict[str, dict[str, Json]]]", document(replace(CARD, output_schema={}))["paths"])
    responses = cast("dict[str, dict[str, dict[str, Json]]]", paths["/predictions/{prediction_id}"]["get"]["responses"])
    return cast("Json", responses["200"]["content"]["application/json"]["schema"])


async def record(client: httpx.AsyncClient, prediction: Prediction, query: str = "") -> httpx.Response:
    """The response, which is as the document says."""
    response = await client.get(f"/predictions/{prediction.prediction_id}{query}")
    jsonschema.validate(response.json(), schema())
    assert (response.status_code, response.headers["prediction-id"]) == (200, prediction.prediction_id)
    assert response.headers["cache-control"] == "no-store"
    return response


async def test_one_that_waits_has_its_place(client: httpx.AsyncClient, service: Service) -> None:
    prediction = await accepted(client, service)
    response = await record(client, prediction)
    assert response.json() == {
        "prediction_id": prediction.prediction_id,
        "model": CARD.name,
        "revision": revision_of(CARD),
        "status": "queued",
        "position": 1,
        "submitted_at": prediction.submitted_at.isoformat().replace("+00:00", "Z"),
        "started_at": None,
        "finished_at": None,
        "attempt": 0,
        "progress": None,
    }
    assert (response.headers["retry-after"], response.headers["queue-position"]) == ("3", "1")


async def test_one_that_runs_has_its_start_and_last_progress(client: httpx.AsyncClient, service: Service) -> None:
    prediction = await accepted(client, service)
    service.engine.predictions[prediction.prediction_id] = replace(
        prediction, status=Status.RUNNING, position=0, started_at=STARTED_AT, attempt=2
    )
    assert (await record(client, prediction)).json()["progress"] is None
    service.engine.events_of[prediction.prediction_id] = [
        Event(EventKind.PROGRESS, b'{"fraction": 0.9}', attempt=1, number=1),
        Event(EventKind.RUNNING, b"{}", attempt=2, number=2),
    ]
    assert (await record(client, prediction)).json()["progress"] is None
    service.engine.events_of[prediction.prediction_id] += [
        Event(EventKind.PROGRESS, b'{"fraction": 0.1}', attempt=2, number=3),
        Event(EventKind.PROGRESS, b'{"fraction": 0.2}', attempt=2, number=4),
        Event(EventKind.OUTPUT, b'"a"', attempt=2, number=5),
    ]
    response = await record(client, prediction)
    found = response.json()
    assert (found["status"], found["position"], found["attempt"]) == ("running", None, 2)
    assert found["started_at"] == "2026-01-02T03:04:05.678901Z"
    assert found["progress"] == {"fraction": 0.2}
    assert response.headers["queue-position"] == "0"


@pytest.mark.parametrize("output", [b'{"any": "JSON"}', b"null", b"[]"])
async def test_one_that_succeeded_has_its_output(client: httpx.AsyncClient, service: Service, output: bytes) -> None:
    prediction = await accepted(client, service)
    service.engine.end(prediction.prediction_id, succeeded(output))
    service.engine.predictions[prediction.prediction_id] = replace(service.engine.only, finished_at=FINISHED_AT)
    response = await record(client, prediction)
    assert b'"output":' + output + b"}" in response.content
    assert response.json()["finished_at"] == "2026-01-02T03:04:06Z"
    assert {"error", "kind"}.isdisjoint(response.json())
    assert "retry-after" not in response.headers
    assert service.engine.read_ids == [prediction.prediction_id]


@pytest.mark.parametrize(
    "outcome",
    [
        failed("ValueError: no such colour"),
        failed("no such colour", FailureKind.INVALID_INPUT),
        failed("\ud800 \x00" + "x" * 5000),
        Outcome(Status.CANCELLED),
        Outcome(Status.EXPIRED),
    ],
)
async def test_one_without_output_has_the_sentence_of_the_poll(
    client: httpx.AsyncClient, service: Service, outcome: Outcome
) -> None:
    prediction = await accepted(client, service)
    service.engine.end(prediction.prediction_id, outcome)
    found = (await record(client, prediction)).json()
    polled = (await client.get(f"/predict/{prediction.prediction_id}")).json()
    assert (found["status"], found["error"]) == (outcome.status, polled["error"])
    assert found.get("kind") == (outcome.failure and outcome.failure.kind)
    assert "output" not in found


async def test_it_is_held_back_for_the_end(client: httpx.AsyncClient, service: Service) -> None:
    prediction = await accepted(client, service)
    waiting = asyncio.create_task(record(client, prediction, "?wait=10"))
    await eventually(lambda: len(service.engine.waiting) == 1)
    service.engine.end(prediction.prediction_id, succeeded(b"1"))
    assert (await waiting).json()["output"] == 1
    assert (await client.get(f"/predictions/{prediction.prediction_id}?wait=x")).status_code == 400


async def test_a_lost_model_is_null(client: httpx.AsyncClient, service: Service) -> None:
    prediction = await accepted(client, service)
    service.engine.predictions[prediction.prediction_id] = replace(prediction, model="")
    assert (await record(client, prediction)).json()["model"] is None


@pytest.mark.parametrize("prediction_id", ["0" * 26, "abc123", "%00", "a" * 5000, "é", "z" * 26, "\u017f" * 26])
async def test_an_unknown_id_is_not_found(client: httpx.AsyncClient, prediction_id: str) -> None:
    response = await client.get(f"/predictions/{prediction_id}")
    assert (response.status_code, response.text) == (404, '{"error": "Prediction ID not found."}')


async def test_head_reads_nothing(client: httpx.AsyncClient, service: Service) -> None:
    prediction = await accepted(client, service)
    service.engine.end(prediction.prediction_id, succeeded(b"1"))
    assert (await client.head(f"/predictions/{prediction.prediction_id}/")).status_code == 200
    assert service.engine.read_ids == []


def test_the_documentation_has_every_field() -> None:
    _, _, section = (ROOT / "docs/http-api.md").read_text().partition("## The record")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section.partition("\n## ")[0], re.MULTILINE)
    assert re.findall(r"\w+", " ".join(rows)) == list(cast("Json", schema()["properties"]))
    assert re.findall(r"`(\w+)`", section.partition("| `kind` |")[2].partition("|")[0]) == [*FailureKind]


def test_the_document_has_every_status_and_kind() -> None:
    fields = cast("dict[str, Json]", schema()["properties"])
    assert fields["status"]["enum"] == [*Status]
    assert fields["kind"]["enum"] == [*FailureKind]
