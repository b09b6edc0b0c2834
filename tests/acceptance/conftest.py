"""Servers that many tests share, each for one session, clients of them, and many processes on one engine."""

import contextlib
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.asking import client_of, target
from tests.redis_server import RedisServer, no_redis, redis_program
from tests.running_replica import Running, StartReplica
from tests.server_process import ServerProcess, WorkerProcess
from tests.uvicorn_server import UvicornServer
from zypher.clock import SystemClock
from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Endings
from zypher.worker.events import Events
from zypher.worker.process_replica import Launch, ProcessReplica

ECHO = (target("echo.py:Echo"),)
# It soon cuts off who is slow to send.
GATED = (target("gated.py:Gated"), "--read-timeout-s", "1", "--max-body-bytes", "100000")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What a module marked `every_server` asks by HTTP alone holds on our server and on any other."""
    asked = {"echo", "gated"}.intersection(metafunc.fixturenames)
    if asked and metafunc.definition.get_closest_marker("every_server"):
        metafunc.parametrize("whose", ["our", "uvicorn"])


def _running(kind: type[ServerProcess], arguments: tuple[str, ...]) -> Callable[..., Iterator[ServerProcess]]:
    def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
        with kind(tmp_path_factory.mktemp("server"), *arguments) as process:
            yield process.wait_ready()

    return server


our_echo = pytest.fixture(_running(ServerProcess, ECHO), scope="session", name="our_echo")
our_gated = pytest.fixture(_running(ServerProcess, GATED), scope="session", name="our_gated")
uvicorn_echo = pytest.fixture(_running(UvicornServer, ECHO), scope="session", name="uvicorn_echo")
uvicorn_gated = pytest.fixture(_running(UvicornServer, GATED), scope="session", name="uvicorn_gated")


@pytest.fixture
def whose() -> str:
    """Whose server is asked: ours, or a foreign one."""
    return "our"


@pytest.fixture
def echo_server(request: pytest.FixtureRequest, whose: str, our_echo: ServerProcess) -> ServerProcess:
    """A server of tests/models/echo.py."""
    return our_echo if whose == "our" else request.getfixturevalue("uvicorn_echo")


@pytest.fixture
def echo(echo_server: ServerProcess) -> Iterator[httpx.Client]:
    with client_of(echo_server) as client:
        yield client


@pytest.fixture
def gated_server(request: pytest.FixtureRequest, whose: str, our_gated: ServerProcess) -> ServerProcess:
    """A server of tests/models/gated.py."""
    return our_gated if whose == "our" else request.getfixturevalue("uvicorn_gated")


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


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartReplica]:
    started: list[Running] = []

    async def start_one(
        source: str, *, name: str = "model.py", slots: int | None = None, most_bytes: int = 1_000_000
    ) -> Running:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        log = LogSettings(format=LogFormat.JSON)
        endings, events = Endings(), Events()
        replica = ProcessReplica(
            1, Launch(f"{path}:Model", slots, most_bytes, log), endings, events, SystemClock(), Metrics()
        )
        await replica.start()
        started.append(Running(replica, endings, events))
        await replica.loaded()
        return started[-1]

    yield start_one
    for each in started:
        each.replica.close()
        await each.ended
