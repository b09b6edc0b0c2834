"""A Redis of a module's own, empty before each test; a module whose tests change it has one for each."""

from collections.abc import Iterator

import pytest

from tests.redis_client import RedisClient
from tests.redis_server import RedisServer, no_redis, redis_program


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if redis_program() is None:
        no_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(server: RedisServer) -> Iterator[RedisClient]:
    with server.client() as client:
        client.flushall()
        yield client
