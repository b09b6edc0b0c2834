"""What a client can do wrong, and the sentence that it gets for it."""

import json
import re

import httpx
import pytest

from tests.asking import client_of, predict
from tests.raw_http import RawConnection, post
from tests.server_process import ServerProcess
from tests.uvicorn_server import EVERY_SERVER

pytestmark = EVERY_SERVER

JSON = {"Content-Type": "application/json"}

BODIES = [
    pytest.param(b"", 400, "empty", id="empty"),
    pytest.param(b'{"input": "a"', 400, "JSON", id="cut short"),
    pytest.param(b"input=a", 400, "JSON", id="a form"),
    pytest.param(b"{'input': 'a'}", 400, "JSON", id="single quotes"),
    pytest.param(b'{"input": "a"} {"input": "b"}', 400, "JSON", id="two documents"),
    pytest.param(b'{"input": NaN}', 400, "JSON", id="NaN"),
    pytest.param(b'{"input": "\xff\xfe"}', 422, "UTF-8|JSON", id="not UTF-8"),
    pytest.param('{"input": "a"}'.encode("utf-16"), 422, "UTF-8|JSON", id="UTF-16"),
    pytest.param(b"[]", 422, "object", id="an array"),
    pytest.param(b'"a"', 422, "object", id="a text"),
    pytest.param(b"null", 422, "object", id="null"),
    pytest.param(b"{}", 422, "input", id="no field"),
    pytest.param(b'{"inputs": "a"}', 422, "input", id="another field"),
    pytest.param(b'{"input": "a", "more": 1}', 422, "more", id="one field too many"),
    pytest.param(b'{"input": 5}', 422, r"\$\.input\b", id="a number for a text"),
    pytest.param(b'{"input": null}', 422, r"\$\.input\b", id="null for a text"),
    pytest.param(b'{"input": ["a"]}', 422, r"\$\.input\b", id="a list for a text"),
]


@pytest.mark.parametrize("mode", ["false", "true"])
@pytest.mark.parametrize(("body", "status", "words"), BODIES)
def test_a_body_that_is_no_prediction(echo: httpx.Client, body: bytes, status: int, words: str, mode: str) -> None:
    response = echo.post("/predict", content=body, headers=JSON | {"Async-Mode": mode})
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    assert re.search(words, response.json()["error"])


STRANGE = [
    pytest.param(b'{"input": "\\ud800"}', id="half a surrogate pair"),
    pytest.param(b'{"input": "a", "input": "b"}', id="a field twice"),
    pytest.param(b'\xef\xbb\xbf{"input": "a"}', id="a byte order mark"),
    pytest.param(b'{"input": ' + b"[" * 100_000, id="deep and cut short"),
    pytest.param(b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep"),
    pytest.param(b'{"input": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}", id="deep objects"),
    pytest.param(b'{"input": ' + b"9" * 100_000 + b"}", id="a long number"),
    pytest.param(b'{"input": 1e999}', id="a number without end"),
    pytest.param(b'{"\\u0000": 1}', id="a field named NUL"),
    pytest.param(b'{"' + b"k" * 1_000_000 + b'": 1}', id="a field with a long name"),
    pytest.param(b"\x00" * 1000, id="zeros"),
]


@pytest.mark.parametrize("body", STRANGE)
def test_nothing_strange_in_a_body_is_the_servers_fault(echo: httpx.Client, body: bytes) -> None:
    response = echo.post("/predict", content=body, headers=JSON)
    assert response.status_code in (200, 400, 422)
    assert len(response.text) < 5_000
    assert predict(echo, "a").status_code == 200


def test_the_path_begins_at_the_input(gated: httpx.Client) -> None:
    response = predict(gated, {"text": ["a"], "folder": "b"})
    assert response.status_code == 422
    assert "$.input.text" in response.json()["error"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", ""])
def test_another_media_type_is_refused(echo: httpx.Client, kind: str) -> None:
    response = echo.post("/predict", content=b'{"input": "a"}', headers={"Content-Type": kind})
    assert response.status_code == 415
    assert "application/json" in response.json()["error"]


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]
)
def test_json_by_any_of_its_names_is_taken(echo: httpx.Client, kind: str) -> None:
    assert echo.post("/predict", content=b'{"input": "a"}', headers={"Content-Type": kind}).status_code == 200


def test_a_content_length_that_is_too_large_is_refused_unread(gated_server: ServerProcess) -> None:
    with RawConnection(gated_server.url) as connection:
        connection.send(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        connection.send(b"Content-Length: 100001\r\n\r\n")
        assert connection.receive_status() == 413


def test_a_body_that_grows_too_large_is_refused_early(gated_server: ServerProcess) -> None:
    with RawConnection(gated_server.url) as connection:
        connection.send(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        connection.send(b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(2):
            connection.send(b"c350\r\n" + b" " * 50_000 + b"\r\n")
        connection.send(b"1\r\n \r\n")  # one byte too many, and no end
        assert connection.receive_status() == 413


def test_a_body_at_the_limit_is_taken(gated: httpx.Client) -> None:
    body = json.dumps({"input": 5}).encode().ljust(100_000)
    assert gated.post("/predict", content=body, headers=JSON).status_code == 422
    too_large = gated.post("/predict", content=body + b" ", headers=JSON)
    assert too_large.status_code == 413
    assert "100000" in re.sub(r"\D", "", too_large.json()["error"])


def test_a_body_in_chunks_is_taken(echo: httpx.Client) -> None:
    response = echo.post("/predict", content=iter([b'{"inp', b'ut": ', b'"a"}']), headers=JSON)
    assert response.json() == {"input": "a", "result": "1"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", {"POST"}),
        ("PUT", "/predict", {"POST"}),
        ("PUT", "/predict/abc123", {"GET", "DELETE"}),
        ("POST", "/predict/abc123", {"GET", "DELETE"}),
        ("DELETE", "/predictions/abc123", {"GET"}),
        ("POST", "/healthz/live", {"GET"}),
        ("POST", "/metrics", {"GET"}),
        ("PATCH", "/openapi.json", {"GET"}),
        ("POST", "/swagger", {"GET"}),
    ],
)
def test_a_wrong_method_is_405_with_allow(echo: httpx.Client, method: str, path: str, allowed: set[str]) -> None:
    response = echo.request(method, path)
    assert response.status_code == 405
    assert allowed <= {word.strip() for word in response.headers["allow"].split(",")}
    assert method not in response.headers["allow"]
    assert response.json()["error"]


@pytest.mark.parametrize("path", ["/nowhere", "/predict/a/b", "/predict//", "/Predict", "/healthz", "/swagger/../x"])
def test_an_unknown_route_is_not_found(echo: httpx.Client, path: str) -> None:
    response = echo.get(path)
    assert response.status_code == 404
    assert response.json()["error"]


@pytest.mark.parametrize("prediction_id", ["%00", "%ff", "..%2f..", "a" * 5_000, "%F0%9F%99%82", "'--", "%ED%A0%80"])
def test_a_strange_id_is_not_found(echo: httpx.Client, prediction_id: str) -> None:
    response = echo.get(f"/predict/{prediction_id}")
    assert response.status_code == 404
    assert response.json()["error"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"hello\r\n\r\n", id="no HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: 1\r\n\r\n", id="a header with a blank"),
        pytest.param(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", id="a negative length"
        ),
        pytest.param(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two"
        ),
        pytest.param(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", id="a long URL"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 200_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 50_000 + b"\r\n", id="many headers"),
    ],
)
def test_what_is_no_http_is_answered_and_cut_off(gated_server: ServerProcess, request_bytes: bytes) -> None:
    with RawConnection(gated_server.url) as connection:
        try:
            connection.send(request_bytes)
        except ConnectionError:
            return  # cut off before all of it was sent
        response = connection.receive()
    assert not response or 400 <= int(response.split()[1]) < 500
    with client_of(gated_server) as client:
        assert client.get("/healthz/live").status_code == 200


def test_requests_sent_ahead_are_answered_in_their_order(echo_server: ServerProcess) -> None:
    bodies = [json.dumps({"input": "a" * length}).encode() for length in range(1, 6)]
    with RawConnection(echo_server.url) as connection:
        connection.send(b"".join(post(body) for body in bodies[:-1]) + post(bodies[-1], "Connection: close"))
        responses = connection.receive()
    assert re.findall(rb'"result": ?"(\d)"', responses) == [b"1", b"2", b"3", b"4", b"5"]


def test_head_is_get_without_a_body(echo: httpx.Client) -> None:
    response = echo.head("/healthz/live")
    assert (response.status_code, response.content) == (200, b"")
