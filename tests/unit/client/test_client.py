import json
import socket

import pytest

from tests.scripted_server import (
    HANG_UP,
    Scripted,
    accepted,
    pending,
    problem,
    serving,
    succeeded,
)
from zypher.client.client import Client
from zypher.client.protocol import InvalidUrl, Pending, Succeeded, Unavailable, UnexpectedResponse, Unreachable

OUTPUT = '{"result": "1234"}'


def test_predict_returns_the_output() -> None:
    with serving(Scripted(200, OUTPUT, {"Prediction-Id": "abc123"})) as script, Client(script.url) as client:
        assert client.predict("text") == {"result": "1234"}
    assert (script.asked[0].method, script.asked[0].path) == ("POST", "/predict")
    assert json.loads(script.asked[0].body) == {"input": "text"}


def test_predict_outlasts_a_202() -> None:
    with serving(accepted(), pending(), succeeded(OUTPUT)) as script, Client(script.url) as client:
        assert client.predict("text") == {"result": "1234"}
    assert [asked.path for asked in script.asked[1:]] == ["/predict/abc123?wait=20"] * 2


def test_submit_and_get() -> None:
    with serving(accepted(position=4), pending(), succeeded(OUTPUT)) as script, Client(script.url + "/") as client:
        assert client.submit({"a": [1]}) == Pending("abc123", 4, 7)
        assert client.get("abc123") == Pending("abc123", 0, 1)
        ended = client.get("abc123", wait_s=1)
    assert isinstance(ended, Succeeded)
    assert script.asked[0].headers["async-mode"] == "true"
    assert [asked.path for asked in script.asked[1:]] == ["/predict/abc123", "/predict/abc123?wait=1"]


def test_a_path_before_ours_is_kept() -> None:
    with serving(accepted()) as script, Client(script.url + "/models/one/") as client:
        client.submit(1)
    assert script.asked[0].path == "/models/one/predict"


def test_a_refusal_is_raised() -> None:
    with (
        serving(problem(503, "The queue is full.", Retry_After="9")) as script,
        Client(script.url) as client,
        pytest.raises(Unavailable, match="The queue is full"),
    ):
        client.submit(1)


def test_a_redirection_is_not_followed() -> None:
    with (
        serving(Scripted(302, "", {"Location": "http://127.0.0.1:1/"})) as script,
        Client(script.url) as client,
        pytest.raises(UnexpectedResponse),
    ):
        client.submit(1)


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with Client(url) as client, pytest.raises(Unreachable, match=f"^No server answers at {url}; start one"):
        client.submit(1)


def test_a_server_that_hangs_up() -> None:
    with (
        serving(HANG_UP) as script,
        Client(script.url) as client,
        pytest.raises(Unreachable, match="closed the connection"),
    ):
        client.submit(1)


def test_a_server_that_sends_nothing() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Client(f"http://127.0.0.1:{silent.getsockname()[1]}", response_timeout_s=0.01) as client,
        pytest.raises(Unreachable, match="closed the connection"),
    ):
        client.get("abc123")


def test_environment_proxies_are_not_used_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(accepted()) as script, Client(script.url) as client:
        assert client.submit(1).prediction_id == "abc123"


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8080", "ftp://host", "http://", "http://host:port", "http://host:99999", f"http://{'a' * 70}.b"],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl, match="write it as http://localhost:8080"):
        Client(url)
