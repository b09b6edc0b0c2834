"""A rolling restart refuses nobody."""

from bench.rolling import roll
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer


def test_a_rolling_restart_refuses_no_request(server: RedisServer, redis: RedisClient) -> None:
    rolled = roll(server.url, [{}])
    assert rolled.restarts == 5
    assert rolled.refused == {}
    assert rolled.requests > 100
