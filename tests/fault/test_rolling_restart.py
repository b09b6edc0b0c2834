"""A rolling restart refuses nobody, also one that installs another version."""

from pathlib import Path

from bench.rolling import roll
from tests.other_version import other_version
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer


def test_a_rolling_restart_refuses_no_request(server: RedisServer, redis: RedisClient) -> None:
    rolled = roll(server.url, [{}])
    assert rolled.restarts == 5
    assert rolled.refused == {}
    assert rolled.requests > 100


def test_an_upgrade_and_its_rollback_refuse_no_request(server: RedisServer, redis: RedisClient, tmp_path: Path) -> None:
    other = other_version(tmp_path)
    rolled = roll(server.url, [{"PYTHONPATH": str(other.source)}, {}])
    assert rolled.restarts == 10
    assert rolled.refused == {}
    assert other.ran()
