"""The warnings about a Redis, from what real ones answered to INFO."""

import pytest

from zypher.engines.redis_streams.server_info import is_too_old, warnings_of
from zypher.queue_state import WarningKind

REDIS = """
redis_version:7.0.15
redis_mode:standalone
connected_clients:1
cluster_connections:0
maxclients:10000
maxmemory:0
maxmemory_policy:noeviction
rdb_last_bgsave_status:ok
aof_enabled:1
aof_last_bgrewrite_status:ok
aof_last_write_status:ok
role:master
connected_slaves:0
cluster_enabled:0
"""
VALKEY = """
redis_version:7.2.4
valkey_version:9.1.2
server_mode:standalone
connected_clients:1
cluster_connections:0
maxclients:10000
maxmemory:0
maxmemory_policy:noeviction
rdb_last_bgsave_status:ok
aof_enabled:1
aof_last_write_status:ok
role:master
connected_slaves:0
cluster_enabled:0
"""


def warned(text: str, **changed: object) -> dict[WarningKind, str]:
    """The sentences about a server whose INFO is this text but for these fields; None is one that it does not show."""
    lines = (line.split(":") for line in text.strip().splitlines())
    read = {name: int(value) if value.isdigit() else value for name, value in lines}
    info = {name: value for name, value in {**read, **changed}.items() if value is not None}
    return {warning.kind: warning.sentence for warning in warnings_of(info)}


@pytest.mark.parametrize("text", [REDIS, VALKEY, ""])
def test_a_server_in_order_has_no_warning(text: str) -> None:
    assert warned(text) == {}


@pytest.mark.parametrize("text", [REDIS, VALKEY])
@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, "evicts", ["what was accepted", "allkeys-lru", "noeviction"]),
        ({"maxmemory_policy": "volatile-ttl"}, "evicts", ["results before their retention", "noeviction"]),
        ({"aof_enabled": 0}, "not_persistent", ["since its last snapshot", "set appendonly yes"]),
        ({"aof_last_write_status": "err"}, "save_failed", ["could not write to its disk", "see its log"]),
        ({"rdb_last_bgsave_status": "err"}, "save_failed", ["could not write to its disk", "see its log"]),
        ({"redis_version": "6.0.16"}, "too_old", ["6.0.16", "6.2 or later"]),
        ({"connected_clients": 9_000}, "connections", ["10000", "raise its maxclients"]),
        ({"connected_clients": 5_000, "connected_slaves": 3_000, "cluster_connections": 1_000}, "connections", []),
        ({"role": "slave"}, "replica", ["name the primary"]),
    ],
)
def test_each_trouble_has_its_warning(text: str, changed: dict[str, object], kind: str, words: list[str]) -> None:
    (found,) = warned(text, **changed).items()
    assert found[0] == kind
    assert [word for word in words if word not in found[1]] == []


def test_several_troubles_have_several_warnings() -> None:
    found = warned(REDIS, maxmemory_policy="allkeys-lru", aof_enabled=0, rdb_last_bgsave_status="err")
    assert list(found) == ["evicts", "not_persistent", "save_failed"]


@pytest.mark.parametrize(
    "changed",
    [
        {"connected_clients": 8_999},
        {"connected_clients": 20_000, "maxclients": None},
        {"maxmemory_policy": None, "aof_enabled": None, "redis_version": None, "role": None},
        {"role": "slave", "cluster_enabled": 1, "aof_enabled": 0},
    ],
)
def test_what_is_not_shown_gives_no_warning(changed: dict[str, object]) -> None:
    assert warned(REDIS, **changed) == {}


def test_a_growing_number_of_connections_is_one_warning() -> None:
    assert warned(REDIS, connected_clients=9_100) == warned(REDIS, connected_clients=9_200)


@pytest.mark.parametrize(("version", "old"), [("6.0.16", True), ("6.2.0", False), ("8.0", False), ("10.1", False)])
def test_a_version_is_compared_by_its_numbers(version: str, old: bool) -> None:
    assert is_too_old(version) is old
