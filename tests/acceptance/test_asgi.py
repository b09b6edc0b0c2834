"""The service as an application of others."""

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

import zypher
from tests.asking import client_of, predict, read, submit, target
from tests.polling import wait_until
from tests.raw_http import RawConnection
from tests.uvicorn_server import MountingServer, UvicornServer
from zypher.errors import SettingsError

EXAMPLE = "examples.mounted:app"
HEAD = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
LARGE = "a" * 900_000
HELD_BACK = HEAD + b" " * 950_000


def test_the_example_serves_below_its_path_and_through_its_middleware(tmp_path: Path) -> None:
    with MountingServer(tmp_path, EXAMPLE).wait_ready() as server, client_of(server) as client:
        response = client.post("/ml/predict", json={"input": "a"})
        assert (response.status_code, response.json()) == (200, "A")
        assert response.headers["server-timing"].startswith("app;dur=")
        accepted = client.post("/ml/predict/", json={"input": "b"}, headers={"Async-Mode": "true"})
        location = accepted.request.url.join(accepted.headers["location"])
        assert location.path == f"/ml/predict/{accepted.json()['prediction_id']}"
        assert client.get(location, params={"wait": "10"}).json()["output"] == "B"
        assert client.get("/ml/openapi.json").status_code == 200
        assert client.get("/").json() == {"predict": "/ml/predict"}
        server.stop()
    assert "Traceback" not in server.text()


def test_without_its_lifespan_every_request_is_503(tmp_path: Path) -> None:
    app = "tests.uvicorn_server:without_lifespan"
    with MountingServer(tmp_path, app).wait_ready() as server, client_of(server) as client:
        for path in ("/ml/predict", "/ml/healthz/live", "/ml/nowhere"):
            response = client.get(path)
            assert response.status_code == 503
            assert "lifespan" in response.json()["error"]


def test_a_second_process_on_one_data_folder_ends(tmp_path: Path) -> None:
    arguments = (tmp_path, target("echo.py:Echo"))
    with UvicornServer(*arguments).wait_ready(), UvicornServer(*arguments) as second:
        assert second.wait() != 0
    assert "is in use by another server" in second.text()
    assert "Traceback" not in second.text()


def test_a_model_that_cannot_load_ends_the_server(tmp_path: Path) -> None:
    with UvicornServer(tmp_path, target("echo.py:Nobody")) as server:
        assert server.wait() != 0
    assert "Nobody" in server.text()
    assert "Traceback" not in server.text()


def test_what_was_accepted_survives_the_server(tmp_path: Path) -> None:
    with UvicornServer(tmp_path, target("echo.py:Echo")).wait_ready() as server, client_of(server) as client:
        prediction_id = submit(client, "abc")
        server.kill()
    with UvicornServer(tmp_path, target("echo.py:Echo")).wait_ready() as server, client_of(server) as client:
        assert read(client, prediction_id).json()["output"]["result"] == "3"


def test_a_disconnect_cancels_a_waiting_prediction(tmp_path: Path) -> None:
    mock = "zypher.models.mock:mock_model_predict"
    with UvicornServer(tmp_path, mock).wait_ready() as server, client_of(server) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/predict", json={"input": "a"}, timeout=0.3)
        wait_until(lambda: 'status="499"' in client.get("/metrics").text)


def test_a_host_is_refused_only_where_hosts_are_named(tmp_path: Path) -> None:
    arguments = (target("echo.py:Echo"), "--allowed-host", "a.example")
    with UvicornServer(tmp_path, *arguments) as server, client_of(server) as client:
        wait_until(lambda: "Application startup complete" in server.text())
        assert predict(client, "a").status_code == 400
        assert predict(client, "a", {"Host": "a.example"}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"port": 1}, "port is for the server that runs the application; set it there."),
        ({"replica": 2}, "replica is not a setting; did you mean replicas?"),
        ({"replicas": 0}, "replicas is 0; it must be a whole number from 1 to 1000."),
    ],
)
def test_a_wrong_setting_is_a_sentence(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        zypher.asgi(**settings)
    assert str(refused.value) == sentence


def test_bodies_held_back_beyond_the_budget_refuse_others(tmp_path: Path) -> None:
    arguments = (target("echo.py:Echo"), "--max-inflight-mb", "4")
    with UvicornServer(tmp_path, *arguments).wait_ready() as server, client_of(server) as client, ExitStack() as held:

        def refused_beside_one_more() -> bool:
            held.enter_context(RawConnection(server.url)).send(HELD_BACK)
            return predict(client, LARGE).status_code == 503

        wait_until(refused_beside_one_more)
        refused = predict(client, LARGE)
        assert "take up the 4 MiB" in refused.json()["error"]
        assert refused.headers["retry-after"] == "2"
        held.close()
        wait_until(lambda: predict(client, LARGE).status_code == 200)
