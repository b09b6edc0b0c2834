"""The two routes of a prediction, as the contract writes them."""

import asyncio

import httpx
import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.http.conftest import Service
from tests.unit.http.memory_engine import failed, succeeded
from zypher.prediction import FailureKind, Outcome, Status
from zypher.settings import HttpSettings

BODY = {"input": "hello"}
UNKNOWN_ID = "0" * 26
PENDING = '{"error": "Prediction is still being processed."}'


async def test_a_synchronous_prediction_answers_the_output_verbatim(
    client: httpx.AsyncClient, service: Service
) -> None:
    service.engine.outcome = succeeded(b'{"any":  "JSON" }')
    answer = await client.post("/predict", json=BODY)
    assert (answer.status_code, answer.content) == (200, b'{"any":  "JSON" }')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["prediction-id"] == service.engine.only.prediction_id
    assert not service.engine.only.durable


async def test_an_asynchronous_prediction_answers_exactly_two_fields(
    client: httpx.AsyncClient, service: Service
) -> None:
    answer = await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    prediction = service.engine.only
    expected = (
        f'{{"message": "Request received. Processing asynchronously.", "prediction_id": "{prediction.prediction_id}"}}'
    )
    assert (answer.status_code, answer.text) == (202, expected)
    assert answer.headers["location"] == f"predict/{prediction.prediction_id}"
    assert answer.headers["prediction-id"] == prediction.prediction_id
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["queue-position"] == "1"
    assert prediction.durable


@pytest.mark.parametrize("path", ["/predict", "/predict/"])
async def test_the_location_holds_behind_any_prefix(client: httpx.AsyncClient, service: Service, path: str) -> None:
    answer = await client.post(path, json=BODY, headers={"Async-Mode": "true"})
    asked = httpx.URL("http://localhost/behind/a/proxy" + path)
    assert asked.join(answer.headers["location"]).path == f"/behind/a/proxy/predict/{service.engine.only.prediction_id}"


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
    answer = await client.get(f"/predict/{prediction_id}")
    assert (answer.status_code, answer.text) == (404, '{"error": "Prediction ID not found."}')


async def test_head_answers_like_get(client: httpx.AsyncClient) -> None:
    assert (await client.head(f"/predict/{UNKNOWN_ID}")).status_code == 404


async def test_a_result_is_noted_as_read_once_a_client_was_given_it(
    client: httpx.AsyncClient, service: Service
) -> None:
    accepted = await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    path, prediction_id = accepted.headers["location"], accepted.headers["prediction-id"]
    await client.get(path)
    service.engine.end(prediction_id, succeeded(b"1"))
    await client.head(path)
    assert service.engine.was_read == []
    await client.get(path)
    assert service.engine.was_read == [prediction_id]


async def test_a_synchronous_answer_notes_a_durable_result_as_read(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = succeeded(b"1")
    await client.post("/predict", json=BODY)
    await client.post("/predict", json=BODY, headers={"Async-Mode": "true"})
    assert service.engine.was_read == []
    answer = await client.post("/predict", json=BODY, headers={"Idempotency-Key": "k"})
    assert service.engine.was_read == [answer.headers["prediction-id"]]


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
    answer = await client.get(f"/predict/{UNKNOWN_ID}?{query}")
    assert answer.status_code == 400
    assert "?wait=10" in answer.json()["error"]


async def test_a_wait_that_is_over_turns_into_an_accepted_prediction(
    client: httpx.AsyncClient, service: Service, clock: FakeClock
) -> None:
    call = asyncio.create_task(client.post("/predict", json=BODY, headers={"Prefer": "wait=5"}))
    await eventually(lambda: service.engine.waiting)
    assert not service.engine.only.durable
    clock.advance(5)
    answer = await call
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=5"
    assert service.engine.only.durable


async def test_respond_async_and_wait_combine(client: httpx.AsyncClient, service: Service) -> None:
    headers = {"Prefer": "respond-async, wait=5"}
    call = asyncio.create_task(client.post("/predict", json=BODY, headers=headers))
    await eventually(lambda: service.engine.waiting)
    assert service.engine.only.durable
    service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
    answer = await call
    assert (answer.status_code, answer.content) == (200, b"1")
    assert answer.headers["preference-applied"] == "wait=5"


async def test_prefer_respond_async_means_async_mode(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", json=BODY, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"


async def test_a_failure_says_what_the_model_said(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = failed('ValueError: no "such" colour \ud800')
    answer = await client.post("/predict", json=BODY)
    prediction_id = service.engine.only.prediction_id
    error = {"error": 'Prediction failed: ValueError: no "such" colour ?', "prediction_id": prediction_id}
    assert (answer.status_code, answer.json()) == (500, error)
    assert answer.headers["prediction-id"] == prediction_id
    later = await client.get(f"/predict/{prediction_id}")
    assert (later.status_code, later.json()) == (500, error)


async def test_an_input_that_only_the_model_can_refuse_is_a_bad_request(
    client: httpx.AsyncClient, service: Service
) -> None:
    service.engine.outcome = failed("$.input is no date", FailureKind.INVALID_INPUT)
    answer = await client.post("/predict", json=BODY)
    assert (answer.status_code, answer.json()) == (422, {"error": "$.input is no date"})


@pytest.mark.parametrize(("status", "word"), [(Status.CANCELLED, "cancelled"), (Status.EXPIRED, "expired")])
async def test_what_will_never_run_is_gone(
    client: httpx.AsyncClient, service: Service, status: Status, word: str
) -> None:
    service.engine.outcome = Outcome(status)
    answer = await client.post("/predict", json=BODY)
    assert answer.status_code == 410
    assert word in answer.json()["error"]
    assert (await client.get(f"/predict/{answer.headers['prediction-id']}")).json() == answer.json()


async def test_the_same_key_gives_the_same_prediction(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.outcome = succeeded(b"1")
    headers = {"Idempotency-Key": "k"}
    first, second = [await client.post("/predict", json=BODY, headers=headers) for _ in range(2)]
    assert first.headers["prediction-id"] == second.headers["prediction-id"]
    assert service.engine.only.durable
    other = await client.post("/predict", json={"input": "other"}, headers=headers)
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["error"]


async def test_an_input_of_the_wrong_type_is_named_by_its_path(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", json={"input": 1})
    assert answer.status_code == 422
    assert "$.input" in answer.json()["error"]


async def test_a_full_queue_says_when_to_come_again(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.limit = 0
    answer = await client.post("/predict", json=BODY)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_service_without_a_worker_refuses(client: httpx.AsyncClient, service: Service) -> None:
    service.engine.presences = ()
    answer = await client.post("/predict", json=BODY)
    assert answer.status_code == 503
    assert answer.json()["error"]


async def test_a_wait_that_cannot_turn_into_a_202_is_refused(
    client: httpx.AsyncClient, service: Service, clock: FakeClock
) -> None:
    call = asyncio.create_task(client.post("/predict", json=BODY, headers={"Prefer": "wait=5"}))
    await eventually(lambda: service.engine.waiting)
    service.engine.stores = False
    clock.advance(5)
    answer = await call
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
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
        answer = await call
        assert answer.status_code == 202
        assert "preference-applied" not in answer.headers

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
