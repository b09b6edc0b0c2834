"""Where a server listens, over what, and for whom."""

import json
import socket
import ssl
import stat
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.asking import predict, target
from tests.command import zypher
from tests.conftest import Serve
from tests.server_process import ServerProcess

ECHO = target("echo.py:Echo")
ORIGIN = "https://app.example.com"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for localhost and its private key."""
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-nodes",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-days",
                "1",
            ),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(chain)),
        ],
        check=True,
        capture_output=True,
    )
    return chain, key


def test_https_by_a_certificate(serve: Serve, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "ours")
    server = serve(ECHO, "--ssl-certfile", str(chain), "--ssl-keyfile", str(key))
    assert server.url.startswith("https://")
    trusting = ssl.create_default_context(cafile=str(chain))
    with httpx.Client(base_url=server.url, verify=trusting, trust_env=False) as client:
        assert predict(client, "abc").json()["result"] == "3"
        assert predict(client, "x" * 5_000_000).json()["result"] == "5000000"
    assert server.stop() == 0


def test_a_unix_socket_in_place_of_a_port(tmp_path: Path) -> None:
    path = tmp_path / "zypher.sock"
    with ServerProcess(tmp_path, ECHO, "--uds", str(path)) as server:
        server.wait_until(path.exists, "listen")
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://any.example") as client:
            server.wait_until(lambda: client.get("/healthz/ready?run").status_code == 200, "be ready")
            assert predict(client, "abc").json()["result"] == "3"
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert server.stop() == 0
    assert not path.exists()


def test_an_ipv6_address_in_brackets(serve: Serve) -> None:
    if not socket.has_ipv6:
        pytest.skip("This machine has no IPv6.")
    server = serve(ECHO, "--host", "[::1]")
    assert server.url.startswith("http://[::1]:")


def test_a_page_of_a_named_origin_may_call(serve: Serve) -> None:
    with httpx.Client(base_url=serve(ECHO, "--cors-origin", ORIGIN).url, trust_env=False) as client:
        asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        preflight = client.options("/predict", headers=asking)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, ORIGIN)
        response = predict(client, "abc", {"Origin": ORIGIN})
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-origin" not in predict(client, "abc", {"Origin": "https://evil.example"}).headers


def test_a_prefix_that_a_proxy_takes_away(serve: Serve) -> None:
    with httpx.Client(base_url=serve(ECHO, "--root-path", "/ml").url, trust_env=False) as client:
        response = client.post("/predict", json={"input": "abc"}, headers={"Async-Mode": "true"})
        assert response.headers["location"] == f"predict/{response.json()['prediction_id']}"


def test_what_cannot_be_listened_on_is_one_sentence(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "ours")
    _, other_key = certificate(tmp_path, "other")
    unreadable = tmp_path / "unreadable.key"
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    used = tmp_path / "used.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(used))
        other.listen()
        for flags, words in (
            (("--ssl-certfile", str(chain), "--ssl-keyfile", str(other_key)), "do not fit together"),
            (("--ssl-certfile", str(garbage), "--ssl-keyfile", str(key)), "PEM"),
            (("--ssl-certfile", str(chain), "--ssl-keyfile", str(unreadable)), "cannot be read"),
            (("--ssl-certfile", str(tmp_path / "nowhere.pem")), "cannot be read"),
            (("--ssl-keyfile", str(key)), "add --ssl-certfile"),
            (("--uds", str(used)), "is in use"),
            (("--uds", str(garbage)), "is not a socket"),
            (("--uds", str(tmp_path / "no" / "folder.sock")), "cannot be made"),
            (("--cors-origin", "https://app.example.com/path"), "--cors-origin"),
            (("--allowed-host", "https://api.example.com"), "--allowed-host"),
            (("--forwarded-allow-ips", "proxy"), "--forwarded-allow-ips"),
        ):
            ended = zypher("serve", ECHO, "--port", "0", *flags, cwd=tmp_path)
            said = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
            assert (ended.returncode, len(said)) == (2, 1), ended.stderr
            assert words in said[0]


def test_requests_are_counted_by_route_and_status(serve: Serve) -> None:
    with httpx.Client(base_url=serve(ECHO).url, trust_env=False) as client:
        predict(client, "abc")
        client.get("/nowhere/at/all")
        page = client.get("/metrics").text
    assert 'zypher_http_requests_total{method="POST",route="/predict",status="200"} 1.0' in page
    assert 'zypher_http_requests_total{method="GET",route="other",status="404"} 1.0' in page
    assert 'zypher_http_request_duration_seconds_count{method="POST",route="/predict",status="200"} 1.0' in page
    assert "zypher_build_info{" in page


def test_every_response_forbids_frames(serve: Serve) -> None:
    with httpx.Client(base_url=serve(ECHO).url, trust_env=False) as client:
        for path in ("/", "/swagger", "/openapi.json", "/metrics", "/nowhere", "/healthz/live"):
            response = client.get(path)
            assert "frame-ancestors 'none'" in response.headers["content-security-policy"], path
            assert response.headers["x-content-type-options"] == "nosniff", path
        assert json.loads(client.get("/nowhere").text)["error"]
