import pytest

from tests.unit.engines.redis_streams.local_client import LocalClient


@pytest.fixture
def client() -> LocalClient:
    return LocalClient()
