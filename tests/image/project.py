"""The compose file, brought up as a project of its own with a model of the tests."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.gate import Gate
from tests.image.docker_engine import DockerEngine
from tests.source import ROOT

_FILES = ("--file", str(ROOT / "compose.yaml"), "--file", str(ROOT / "tests/image/compose.override.yaml"))
_ANSWER_S = 60.0


class Project:
    """Up when the block begins, down and forgotten when it ends."""

    def __init__(self, engine: DockerEngine, name: str, folder: Path, *up: str) -> None:
        self.port = _free_port()
        self._engine = engine
        self._name = name
        self._folder = folder
        self._up = up

    def compose(self, *arguments: str) -> str:
        """What a compose command prints."""
        environment = {
            "PORT": str(self.port),
            "REDIS_PASSWORD": "of-this-test",
            "MODELS": str(ROOT / "tests/models"),
            "GATES": str(self._folder),
        }
        given = ("--project-name", self._name, "--progress", "quiet", *_FILES)
        return self._engine.compose(*given, *arguments, environment=environment)

    def up(self, *arguments: str) -> None:
        """Bring services up and wait for their health; ours is built already."""
        pull = "never" if self._engine.alone else "missing"
        self.compose("up", "--detach", "--no-build", "--pull", pull, "--wait", "--wait-timeout", "90", *arguments)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers."""
        return self.compose("ps", "--quiet", service).split()

    def kill(self, container: str) -> None:
        """End a container as a crash would; it stays down until it is started."""
        self._engine.run("kill", "--signal", "KILL", container)

    def start(self, container: str) -> None:
        self._engine.run("start", container)

    @property
    def client(self) -> httpx.Client:
        """A client of the server's published port, to be closed."""
        limits = httpx.Limits(max_connections=1000)
        url = f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=url, timeout=_ANSWER_S, limits=limits, trust_env=False)

    def gate(self, name: str) -> Gate:
        """A gate that the workers' runs come to; to be entered."""
        gate = Gate(self._folder / name)
        gate.folder.chmod(0o777)  # the user in the container is nobody here
        return gate

    def __enter__(self) -> Self:
        try:
            self.up(*self._up)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            print(self.compose("logs", "--no-color", "--tail", "30"))
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "10")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
