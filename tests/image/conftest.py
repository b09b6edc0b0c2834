"""The engine, the image and what tests start from it."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

import pytest

from tests.gate import Gate
from tests.image.container import Container
from tests.image.docker_engine import DockerEngine, find_engine
from tests.image.project import Project
from tests.source import ROOT

WORKERS = 3
_NAME = "zypherai-test"
_MODELS = ROOT / "tests/models"


class Run(Protocol):
    def __call__(self, *command: str, image: str = ..., network: str = ...) -> Container:
        """Start a container that runs `zypher` with these arguments; with none, what the image runs by itself.

        Unless told otherwise, it is the project's image on a network that ends at this machine.
        """
        ...


@pytest.fixture(scope="session")
def engine() -> DockerEngine:
    return find_engine()


@pytest.fixture(scope="session")
def image(engine: DockerEngine) -> str:
    """The image, built from the tree as it is."""
    engine.build(_NAME, ROOT)
    return _NAME


@pytest.fixture(scope="session")
def network(engine: DockerEngine) -> Iterator[str]:
    """A network that ends at this machine."""
    engine.run("network", "create", "--internal", _NAME)
    yield _NAME
    engine.run("network", "rm", _NAME)


@pytest.fixture
def run(engine: DockerEngine, image: str, network: str, gate: Gate) -> Iterator[Run]:
    """Starts containers that see tests/models, as `models`, and the gate where it is."""
    mounts = ("--volume", f"{_MODELS}:/app/models:ro", "--volume", f"{gate.folder}:{gate.folder}")
    gate.folder.chmod(0o777)  # the user in the container is nobody here
    with contextlib.ExitStack() as containers:

        def start(*command: str, image: str = image, network: str = network) -> Container:
            options = ("--network", network, *mounts)
            return containers.enter_context(Container(engine, image, *command, options=options))

        yield start


@pytest.fixture(scope="session")
def project(engine: DockerEngine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The compose file with three workers, for many tests."""
    folder = tmp_path_factory.mktemp("gates")
    folder.chmod(0o755)  # the user in the containers is nobody here
    with Project(engine, _NAME, folder, "--scale", f"worker={WORKERS}") as project:
        yield project
