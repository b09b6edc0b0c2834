"""Servers that many tests share, each for one session, clients of them, and many processes on one engine."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.asking import client_of, target
from tests.redis_server import RedisServer, no_redis, redis_program
from tests.server_process import ServerProcess, WorkerProcess


@pytest.fixture(scope="session")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of tests/models/echo.py."""
    with ServerProcess(tmp_path_factory.mktemp("echo"), target("echo.py:Echo")) as server:
        yield server.wait_ready()


@pytest.fixture
def echo(echo_server: ServerProcess) -> Iterator[httpx.Client]:
    with client_of(echo_server) as client:
        yield client


@pytest.fixture(scope="session")
def gated_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of tests/models/gated.py that soon cuts off who is slow to send."""
    arguments = (target("gated.py:Gated"), "--read-timeout-s", "1", "--max-body-bytes", "100000")
    with ServerProcess(tmp_path_factory.mktemp("gated"), *arguments) as server:
        yield server.wait_ready()


@pytest.fixture
def gated(gated_server: ServerProcess) -> Iterator[httpx.Client]:
    with client_of(gated_server) as client:
        yield client


class Machines:
    """Processes that share one engine and nothing else."""

    def __init__(self, folder: Path, engine: str, processes: contextlib.ExitStack) -> None:
        self.engine = engine
        self.folder = folder
        self._processes = processes

    def front(self, *arguments: str) -> ServerProcess:
        """Start a server without a worker; it listens when this returns."""
        server = ServerProcess(self.folder, "--no-worker", "--engine", self.engine, *arguments)
        assert self._processes.enter_context(server).url
        return server

    def worker(self, model: str, *arguments: str) -> WorkerProcess:
        """Start a worker of a model in tests/models, such as `echo.py:Echo`."""
        worker = WorkerProcess(self.folder, target(model), "--engine", self.engine, *arguments)
        return self._processes.enter_context(worker)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer | None]:
    """A Redis that the tests share, one after the other; None where there is none."""
    if redis_program() is None:
        yield None
        return
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def machines(redis_server: RedisServer | None, tmp_path: Path) -> Iterator[Machines]:
    """An empty engine, whose processes are gone when the test ends."""
    if redis_server is None:
        no_redis()
    with redis_server.client() as client:
        client.flushall()
    with contextlib.ExitStack() as processes:
        yield Machines(tmp_path, redis_server.url, processes)
