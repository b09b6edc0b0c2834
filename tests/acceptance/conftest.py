"""Servers that many tests share, each for one session, and clients of them."""

from collections.abc import Iterator

import httpx
import pytest

from tests.asking import client_of, target
from tests.server_process import ServerProcess


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
