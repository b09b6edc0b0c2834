"""A Redis that may lose what was accepted: what operators read, and servers that must not accept then."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_worker_health import probe_of
from tests.asking import client_of, output, predict, submit, target
from tests.command import zypher
from tests.polling import wait_until
from tests.redis_server import RedisServer, own_redis
from tests.server_process import ServerProcess, WorkerProcess, ZypherProcess

ECHO = target("echo.py:Echo")
EVICTING = ("--maxmemory-policy", "allkeys-lru")
EVICTS = "Redis forgets what was accepted once its maxmemory is used up (maxmemory-policy allkeys-lru)"
REQUIRED = "--require-durable-engine"
REFUSED = "--require-durable-engine refuses this engine: " + EVICTS


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    yield from own_redis(tmp_path)


def restart(redis: RedisServer, *processes: ZypherProcess, options: tuple[str, ...] = ()) -> None:
    """End Redis, and start it anew once these processes have noticed: a reconnect is followed by a check."""
    before = [away(process) for process in processes]
    redis.kill()
    wait_until(lambda: all(away(each) > seen for each, seen in zip(processes, before, strict=True)))
    redis.start(*options)


def away(process: ZypherProcess) -> int:
    return sum(record["message"] == "the engine is away" for record in process.log())


def warnings(client: httpx.Client) -> list[str]:
    response = client.get("/healthz/ready")
    return response.json().get("warnings", []) if response.status_code == 200 else ["It is not ready."]


def logged(process: ZypherProcess) -> list[tuple[object, object]]:
    """The level and the kind of what was logged about warnings."""
    return [(record["level"], record["kind"]) for record in process.log() if "kind" in record]


def test_a_warning_stands_where_operators_look(redis: RedisServer, tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path, ECHO, "--engine", redis.url) as server,
        WorkerProcess(tmp_path, ECHO, "--engine", redis.url, "--health-port", "0") as worker,
        client_of(server.wait_ready()) as client,
        probe_of(worker) as probe,
    ):
        assert warnings(client) == warnings(probe) == []
        assert zypher("queue", "--engine", redis.url, cwd=tmp_path).stdout.startswith("MODEL")
        restart(redis, server, worker, options=EVICTING)
        for each in (client, probe):
            (sentence,) = wait_until(lambda each=each: [one for one in warnings(each) if one.startswith(EVICTS)])
            assert sentence.endswith("set maxmemory-policy noeviction.")
        shown = zypher("queue", "--engine", redis.url, cwd=tmp_path)
        assert shown.stdout.startswith(f"Warning: {EVICTS}")
        assert shown.stderr == ""
        assert 'zypher_engine_warnings{kind="evicts"} 1.0' in client.get("/metrics").text
        assert output(client, submit(client, "abc")) == {"input": "abc", "result": "3"}
        restart(redis, server, worker)
        wait_until(lambda: warnings(client) == warnings(probe) == [])
        assert 'zypher_engine_warnings{kind="evicts"} 0.0' in client.get("/metrics").text
        assert logged(server) == logged(worker) == [("warning", "evicts"), ("info", "evicts")]


def test_a_redis_that_comes_back_empty_is_an_error(redis: RedisServer, tmp_path: Path) -> None:
    soon = ("--lease-s", "1")  # the worker announces the model again
    with (
        ServerProcess(tmp_path, ECHO, "--engine", redis.url, *soon) as server,
        client_of(server.wait_ready()) as client,
    ):
        with redis.client() as keys:
            keys.flushall()
        restart(redis, server)
        (loss,) = wait_until(lambda: [each for each in warnings(client) if "came back empty" in each])
        assert logged(server) == [("error", "lost_data")]
        shown = zypher("queue", "--engine", redis.url, cwd=tmp_path)
        assert (shown.stdout.startswith(f"Warning: {loss}\n"), shown.stderr) == (True, "")
        assert 'zypher_engine_warnings{kind="lost_data"} 1.0' in client.get("/metrics").text
        assert output(client, submit(client, "abc")) == {"input": "abc", "result": "3"}


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_required_durable_engine_is_there_at_the_start(redis: RedisServer, tmp_path: Path, command: str) -> None:
    redis.stop()
    redis.start(*EVICTING)
    refused = zypher(command, ECHO, REQUIRED, "--engine", redis.url, cwd=tmp_path)
    assert refused.returncode == 2
    assert f"zypher: {REFUSED}" in refused.stderr
    looked = zypher("queue", REQUIRED, "--engine", redis.url, cwd=tmp_path)
    assert (looked.returncode, looked.stdout.startswith(f"Warning: {EVICTS}")) == (0, True)


def test_a_required_durable_engine_is_waited_for(redis: RedisServer, tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path, ECHO, REQUIRED, "--engine", redis.url) as server,
        client_of(server.wait_ready()) as client,
    ):
        prediction_id = submit(client, "abc")
        restart(redis, server, options=EVICTING)
        wait_until(lambda: REFUSED in client.get("/healthz/ready").text)
        refused = predict(client, "a", {"Async-Mode": "true"})
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        assert refused.json()["error"].startswith(REFUSED)
        assert predict(client, "ab").json() == {"input": "ab", "result": "2"}
        assert output(client, prediction_id) == {"input": "abc", "result": "3"}
        restart(redis, server)
        wait_until(lambda: client.get("/healthz/ready").status_code == 200)
        assert output(client, submit(client, "abcd")) == {"input": "abcd", "result": "4"}
