"""A result is kept for as long as the settings say, and its idempotency key with it."""

from tests.asking import client_of, output, predict, target
from tests.conftest import Serve
from tests.polling import wait_until


def test_a_result_is_forgotten_after_its_retention(serve: Serve) -> None:
    keyed = {"Idempotency-Key": "k", "Async-Mode": "true"}
    with client_of(serve(target("echo.py:Echo"), "--retention-s", "1")) as client:
        first = predict(client, "a", keyed).json()["prediction_id"]
        assert output(client, first) == {"input": "a", "result": "1"}
        assert predict(client, "b", keyed).status_code == 422
        wait_until(lambda: client.get(f"/predict/{first}").status_code == 404)
        second = predict(client, "b", keyed).json()["prediction_id"]
        assert output(client, second) == {"input": "b", "result": "1"}
        assert second != first
