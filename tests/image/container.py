"""A container of the image, held as tightly as the README says it can be."""

import json
from types import TracebackType
from typing import Self

import httpx

from tests.image.docker_engine import DockerEngine
from tests.polling import wait_until

HARDENED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
_ANSWER_S = 60.0


class Container:
    """Runs until `stop` or `kill`; `start` runs it again on the same volume. Gone, volume and all, after the block."""

    def __init__(self, engine: DockerEngine, image: str, *command: str, options: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self.name = engine.run("run", "--detach", *HARDENED, *options, image, *command)

    @property
    def client(self) -> httpx.Client:
        """A client of the server in it, to be closed; the address is another one after each start."""
        address = self.look("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
        return httpx.Client(base_url=f"http://{address}:8080", timeout=_ANSWER_S, trust_env=False)

    def look(self, template: str) -> str:
        """A field of `docker inspect`."""
        return self._engine.run("inspect", "--format", template, self.name)

    def wait_ready(self) -> Self:
        """Return once a prediction can be run at once."""
        with self.client as client:
            wait_until(lambda: _is_ready(client))
        return self

    def inside(self, *command: str) -> str:
        """What a command in the container prints."""
        return self._engine.run("exec", self.name, *command)

    def log(self) -> str:
        return self._engine.log(self.name)

    def start(self) -> Self:
        self._engine.run("start", self.name)
        return self.wait_ready()

    def stop(self, grace_s: int) -> int:
        """`docker stop`; the exit status."""
        self._engine.run("stop", "--time", str(grace_s), self.name)
        return int(self.look("{{.State.ExitCode}}"))

    def kill(self) -> None:
        """End every process in it, as a crash of the machine would."""
        self._engine.run("kill", "--signal", "KILL", self.name)

    def health(self) -> str:
        return self.look("{{.State.Health.Status}}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            print(json.dumps(self.look("{{json .State}}")), self.log(), sep="\n")
        self._engine.run("rm", "--force", "--volumes", self.name)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz/ready?run").status_code == 200
    except httpx.TransportError:
        return False
