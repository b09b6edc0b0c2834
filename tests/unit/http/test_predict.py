"""The two routes of a prediction, as the contract writes them."""

import asyncio

import httpx
import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.http.conftest import Service
from tests.unit.http.scripted_engine import CARD, failed, succeeded
from zypher.prediction import FailureKind, Outcome, Status
from zypher.settings import HttpSettings

BODY = {"input": "hello"}
UNKNOWN_ID = "0" * 26
PENDING = '{"error": "Prediction is still being processed."}'


async def test_a_synchronous_prediction_answers_the_output_verbatim(
    client: httpx.AsyncClient, service: Service
) -> None:
    service.engine.outcome = succeeded(b'{"any":  "JSON" }')
    response = await client.post("/predict", json=BODY)
    assert (response.status_code, response.content) == (200, b'{"any":  "JSON" }')
    assert response.headers["content-type"] == "application/json"
    assert response.headers["prediction-id"] == service.engine.only.prediction_id
    assert not service.engine.only.durable


async def test_an_asynchronous_prediction_answers_exactly_two_fields(
    client: httpx.AsyncClient, service: Service
) -> None:
    response = await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    prediction = service.engine.only
    expected = (
        f'{{"message": "Request received. Processing asynchronously.", "prediction_id": "{prediction.prediction_id}"}}'
    )
    assert (response.status_code, response.text) == (202, expected)
    assert response.headers["location"] == f"predict/{prediction.prediction_id}"
    assert response.headers["prediction-id"] == prediction.prediction_id
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["queue-position"] == "1"
    assert prediction.durable


@pytest.mark.parametrize("path", ["/predict", "/predict/"])
async def test_the_location_holds_behind_any_prefix(client: httpx.AsyncClient, service: Service, path: str) -> None:
    response = await client.post(path, json=BODY, headers={"Async-Mode": "true"})
    asked = httpx.URL("http://localhost/behind/a/proxy" + path)
    assert (
        asked.join(response.headers["location"]).path == f"/behind/a/proxy/predict/{service.engine.only.prediction_id}"
    )


async def test_a_prediction_is_looked_at_until_it_has_an_output(client: httpx.AsyncClient, service: Service) -> None:
    accepted = await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    pending = await client.get(accepted.headers["location"])
    assert (pending.status_code, pending.text) == (400, PENDING)
    assert int(pending.headers["retry-after"]) >= 1
    assert pending.headers["prediction-id"] == accepted.headers["prediction-id"]
    prediction_id = service.engine.only.prediction_id
    service.engine.end(prediction_id, succeeded(b'{"result": "5678"}'))
    ended = await client.get(accepted.headers["location"].upper().replace("PREDICT", "predict"))
    assert ended.status_code == 200
    assert ended.text == f'{{"prediction_id": "{prediction_id}", "output": {{"result": "5678"}}}}'


@pytest.mark.parametrize("prediction_id", [UNKNOWN_ID, "abc123", "%00", "a" * 5000, "é", "z" * 26, "\u017f" * 26])
async def test_an_unknown_id_is_not_found(client: httpx.AsyncClient, prediction_id: str) -> None:
    response = await client.get(f"/predict/{prediction_id}")
    assert (response.status_code, response.text) == (404, '{"error": "Prediction ID not found."}')


async def test_head_answers_like_get(client: httpx.AsyncClient) -> None:
    assert (await client.head(f"/predict/{UNKNOWN_ID}")).status_code == 404


async def test_a_result_is_marked_as_read_when_it_is_sent(client: httpx.AsyncClient, service: Service) -> None:
    accepted = await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    path, prediction_id = accepted.headers["location"], accepted.headers["prediction-id"]
    await client.get(path)
    service.engine.end(prediction_id, succeeded(b"1"))
    await client.head(path)
    assert service.engine.read_ids == []
    await client.get(path)
    assert service.engine.read_ids == [prediction_id]


async def test_a_synchronous_answer_notes_a_durable_result_as_read(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = succeeded(b"1")
    await client.post("/predict", json=BODY)
    await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    assert service.engine.read_ids == []
    response = await client.post("/predict", json=BODY, headers={"Idempotency-Key": "k"})
    assert service.engine.read_ids == [response.headers["prediction-id"]]


async def test_a_long_poll_answers_when_the_prediction_ends(client: httpx.AsyncClient, service: Service) -> None:
    accepted = await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    poll = asyncio.create_task(client.get(accepted.headers["location"] + "?wait=60"))
    await eventually(lambda: service.engine.waiting)
    service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
    assert (await poll).status_code == 200


async def test_a_long_poll_ends_in_time(client: httpx.AsyncClient, service: Service, clock: FakeClock) -> None:
    accepted = await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    poll = asyncio.create_task(client.get(accepted.headers["location"] + "?wait=60"))
    await eventually(lambda: service.engine.waiting)
    clock.advance(60)
    assert (await poll).text == PENDING


@pytest.mark.parametrize("query", ["wait=-1", "wait=x", "wait=1.5", "wait=", "wait=1&wait=2", "wait=%31x", "wait=٣"])
async def test_an_impossible_wait_is_refused(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/predict/{UNKNOWN_ID}?{query}")
    assert response.status_code == 400
    assert "?wait=10" in response.json()["error"]


async def test_a_wait_that_is_over_turns_into_an_accepted_prediction(
    client: httpx.AsyncClient, service: Service, clock: FakeClock
) -> None:
    call = asyncio.create_task(client.post("/predict", json=BODY, headers={"Prefer": "wait=5"}))
    await eventually(lambda: service.engine.waiting)
    assert not service.engine.only.durable
    clock.advance(5)
    response = await call
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "wait=5"
    assert service.engine.only.durable


async def test_respond_async_and_wait_combine(client: httpx.AsyncClient, service: Service) -> None:
    headers = {"Prefer": "respond-async, wait=5"}
    call = asyncio.create_task(client.post("/predict", json=BODY, headers=headers))
    await eventually(lambda: service.engine.waiting)
    assert service.engine.only.durable
    service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
    response = await call
    assert (response.status_code, response.content) == (200, b"1")
    assert response.headers["preference-applied"] == "wait=5"


async def test_prefer_respond_async_means_async_mode(client: httpx.AsyncClient) -> None:
    response = await client.post("/predict", json=BODY, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"


async def test_a_failure_has_the_models_message(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = failed('ValueError: no "such" colour \ud800')
    response = await client.post("/predict", json=BODY)
    prediction_id = service.engine.only.prediction_id
    error = {"error": 'Prediction failed: ValueError: no "such" colour ?', "prediction_id": prediction_id}
    assert (response.status_code, response.json()) == (500, error)
    assert response.headers["prediction-id"] == prediction_id
    later = await client.get(f"/predict/{prediction_id}")
    assert (later.status_code, later.json()) == (500, error)


async def test_an_input_refused_by_the_model_is_422(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = failed("$.input is no date", FailureKind.INVALID_INPUT)
    response = await client.post("/predict", json=BODY)
    assert (response.status_code, response.json()) == (422, {"error": "$.input is no date"})


@pytest.mark.parametrize(("status", "word"), [(Status.CANCELLED, "cancelled"), (Status.EXPIRED, "expired")])
async def test_what_will_never_run_is_gone(
    client: httpx.AsyncClient, service: Service, status: Status, word: str
) -> None:
    service.engine.outcome = Outcome(status)
    response = await client.post("/predict", json=BODY)
    assert response.status_code == 410
    assert word in response.json()["error"]
    assert (await client.get(f"/predict/{response.headers['prediction-id']}")).json() == response.json()


async def test_the_same_key_gives_the_same_prediction(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = succeeded(b"1")
    headers = {"Idempotency-Key": "k"}
    first, second = [await client.post("/predict", json=BODY, headers=headers) for _ in range(2)]
    assert first.headers["prediction-id"] == second.headers["prediction-id"]
    assert service.engine.only.durable
    other = await client.post("/predict", json={"input": "other"}, headers=headers)
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["error"]


async def test_a_wrong_input_type_is_reported_with_its_path(client: httpx.AsyncClient) -> None:
    response = await client.post("/predict", json={"input": 1})
    assert response.status_code == 422
    assert "$.input" in response.json()["error"]


async def test_a_full_queue_has_retry_after(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.limit = 0
    response = await client.post("/predict", json=BODY)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1


async def test_a_service_without_a_worker_refuses(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.workers = ()
    response = await client.post("/predict", json=BODY)
    assert response.status_code == 503
    assert response.json()["error"]


async def test_a_prediction_that_the_engine_forgot_is_unavailable(
    client: httpx.AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get(prediction_id: str, wait_s: float | None = 0) -> None:
        return None

    monkeypatch.setattr(service.engine, "get", get)
    answer = await client.post("/predict", json={"input": "a"})
    assert answer.status_code == 503
    assert "send it again" in answer.json()["error"]


async def test_a_wait_that_cannot_turn_into_a_202_is_refused(
    client: httpx.AsyncClient, service: Service, clock: FakeClock
) -> None:
    call = asyncio.create_task(client.post("/predict", json=BODY, headers={"Prefer": "wait=5"}))
    await eventually(lambda: service.engine.waiting)
    service.engine.stores = False
    clock.advance(5)
    response = await call
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
    assert service.engine.only.status is Status.CANCELLED


class TestCap:
    """With a bound of the server's own on synchronous waiting."""

    @pytest.fixture
    def settings(self) -> HttpSettings:
        return HttpSettings(sync_timeout_s=3)

    async def test_a_long_call_turns_into_a_202(
        self, client: httpx.AsyncClient, service: Service, clock: FakeClock
    ) -> None:
        call = asyncio.create_task(client.post("/predict", json=BODY, headers={"Prefer": "wait=60"}))
        await eventually(lambda: service.engine.waiting)
        clock.advance(3)
        response = await call
        assert response.status_code == 202
        assert "preference-applied" not in response.headers

    async def test_a_long_call_goes_on_when_nothing_can_be_stored(
        self, client: httpx.AsyncClient, service: Service, clock: FakeClock
    ) -> None:
        call = asyncio.create_task(client.post("/predict", json=BODY))
        await eventually(lambda: service.engine.waiting)
        (capped,) = service.engine.waiting
        service.engine.stores = False
        clock.advance(3)
        await eventually(lambda: service.engine.waiting and capped not in service.engine.waiting)
        service.engine.end(service.engine.only.prediction_id, succeeded(b'"late"'))
        assert (await call).content == b'"late"'


def leave(service: Service) -> None:
    """Let every worker of the model go."""
    service.engine.card, service.engine.workers = CARD, ()


@pytest.mark.parametrize(
    "headers", [{"Async-Mode": "true"}, {"Prefer": "respond-async"}, {"Idempotency-Key": "k"}, {"Prefer": "wait=0"}]
)
async def test_what_is_durable_is_accepted_without_a_worker(
    client: httpx.AsyncClient, service: Service, headers: dict[str, str]
) -> None:
    leave(service)
    response = await client.post("/predict", json=BODY, headers=headers)
    assert response.status_code == 202
    assert int(response.headers["retry-after"]) >= 1
    assert service.engine.only.durable


async def test_a_synchronous_call_without_a_worker_is_refused(client: httpx.AsyncClient, service: Service) -> None:
    leave(service)
    response = await client.post("/predict", json=BODY)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert service.engine.predictions == {}


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
async def test_a_wait_for_a_worker_becomes_the_promise(
    client: httpx.AsyncClient, service: Service, clock: FakeClock, headers: dict[str, str]
) -> None:
    leave(service)
    asked = asyncio.create_task(client.post("/predict", json=BODY, headers={"Prefer": "wait=5", **headers}))
    await eventually(lambda: service.engine.waiting)
    assert service.engine.only.durable == bool(headers)
    clock.advance(5)
    response = await asked
    assert (response.status_code, response.headers["preference-applied"]) == (202, "wait=5")
    assert service.engine.only.durable


async def test_a_repeated_key_gets_its_output_without_a_worker(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = succeeded(b"1")
    leave(service)
    response = await client.post("/predict", json=BODY, headers={"Idempotency-Key": "k"})
    assert (response.status_code, response.content) == (200, b"1")
