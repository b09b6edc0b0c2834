"""What a service tells everybody of itself, and what only whoever owns it."""

import contextlib
import json
import re
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import Machines
from tests.asking import client_of, predict, target
from tests.command import zypher
from tests.conftest import Serve
from tests.polling import wait_until
from tests.redis_server import RedisServer
from tests.server_process import ServerProcess

SECRETS = re.compile(
    r"hunter2|10\.0\.0\.7|postgres|s3cret|redis://|127\.0\.0\.1:|RuntimeError|Traceback|Errno|/tmp/|leaky\.py"
)
PAGES = (
    "/",
    "/healthz/live",
    "/healthz/ready",
    "/healthz/ready?run",
    "/metrics",
    "/openapi.json",
    "/swagger",
    "/predict/" + "0" * 26,
)


def told(client: httpx.Client) -> str:
    """Everything that an anonymous caller can read."""
    responses = [client.get(page) for page in PAGES]
    responses += [
        client.post("/predict", json={"input": "a"}, headers=headers) for headers in ({}, {"Async-Mode": "1"})
    ]
    return "\n".join(f"{response.headers}\n{response.text}" for response in responses)


@pytest.fixture
def leaky(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerProcess:
    """A server whose model cannot be loaded any more."""
    monkeypatch.setenv("LEAKY_FLAG", str(tmp_path / "loaded"))
    return serve(target("leaky.py:Leaky"), "--max-attempts", "1", "--no-expose-errors")


def break_down(client: httpx.Client) -> str:
    """What is told once the model is broken."""
    predict(client, "die")
    wait_until(lambda: "replica can run" in client.get("/healthz/ready?run").text)
    return told(client)


def test_an_anonymous_caller_reads_no_exception_of_a_model(leaky: ServerProcess) -> None:
    with client_of(leaky) as client:
        read = break_down(client)
    assert "the log of its worker says why" in read
    assert SECRETS.findall(read) == []
    assert "hunter2" in leaky.text()


def test_on_loopback_the_reason_is_shown(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKY_FLAG", str(tmp_path / "loaded"))
    with client_of(serve(target("leaky.py:Leaky"), "--max-attempts", "1")) as client:
        assert "hunter2" in break_down(client)


@pytest.mark.parametrize(("flags", "exposes"), [((), True), (("--no-expose-errors",), False)])
def test_an_unavailable_engine_is_reported_without_its_address(
    tmp_path: Path, flags: tuple[str, ...], exposes: bool
) -> None:
    with contextlib.ExitStack() as processes:
        redis = processes.enter_context(RedisServer(tmp_path / "redis"))
        server = processes.enter_context(ServerProcess(tmp_path, "--no-worker", "--engine", redis.url, *flags))
        client = processes.enter_context(client_of(server))
        redis.kill()
        wait_until(lambda: client.get("/predict/" + "0" * 26).status_code == 503)
        read = told(client)
    assert bool(SECRETS.findall(read)) == exposes
    if not exposes:
        assert "cannot store or find predictions now" in read


def test_a_model_gets_no_settings(machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEAKY_FLAG", str(tmp_path / "loaded"))
    monkeypatch.setenv("ZYPHER_LEASE_S", "20")
    machines.worker("leaky.py:Leaky")
    with client_of(machines.front().wait_ready()) as client:
        names = predict(client, "names").json()
    assert "LEAKY_FLAG" in names
    assert [name for name in names if name.startswith("ZYPHER")] == []


@pytest.mark.parametrize(("flags", "engine"), [((), "redis://host:6379/0"), (("--host", "0.0.0.0"), "redis://***")])
def test_the_settings_of_a_service_for_others_show_no_address(
    tmp_path: Path, flags: tuple[str, ...], engine: str
) -> None:
    shown = zypher("config", "--engine", "redis://:s3cret@host:6379/0", "--json", *flags, cwd=tmp_path)
    assert "s3cret" not in shown.stdout
    assert json.loads(shown.stdout)["engine"]["value"].replace("***@", "") == engine
