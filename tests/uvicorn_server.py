"""The service as an application of a server that is not ours: uvicorn's own, with another parser."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi import FastAPI

import zypher
from tests.server_process import ServerProcess

_ROOT = Path(__file__).parents[1]
_URL = re.compile(r"Uvicorn running on (http://[\d.:]+)")


# A module whose tests ask by HTTP alone; those of other servers run before the first of them.
EVERY_SERVER = [pytest.mark.every_server, pytest.mark.usefixtures("uvicorn_echo", "uvicorn_gated")]


class UvicornServer(ServerProcess):
    """An ASGI server on a free port; the arguments are those of `zypher serve`, which it gets as variables."""

    def __init__(self, directory: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        target, *flags = arguments
        variables = {"ZYPHER_TARGET": target, **dict(environment or {})}
        for flag, value in zip(flags[::2], flags[1::2], strict=True):
            variables["ZYPHER_" + flag.removeprefix("--").replace("-", "_").upper()] = value
        super().__init__(directory, "tests.uvicorn_server:app", "--factory", environment=variables)

    def command(self, *arguments: str) -> list[str]:
        uvicorn = [sys.executable, "-m", "uvicorn", *arguments, "--app-dir", str(_ROOT)]
        return [*uvicorn, "--http", "h11", "--port", "0"]

    def _find_url(self) -> bool:
        found = _URL.search(self.text())
        self._url = found[1] if found else ""
        return found is not None


class MountingServer(UvicornServer):
    """The same, with an application of its own in which the service is mounted."""

    def __init__(self, directory: Path, app: str, environment: Mapping[str, str] | None = None) -> None:
        ServerProcess.__init__(self, directory, app, environment=environment)

    def _is_ready(self) -> bool:
        return "Application startup complete" in self.text()


def app() -> object:
    """What the server is told to run."""
    return zypher.asgi()


def without_lifespan() -> object:
    """An application that forgets the lifespan of what is mounted in it."""
    forgetful = FastAPI()
    forgetful.mount("/ml", zypher.asgi("zypher.models.mock:mock_model_predict"))
    return forgetful
