"""What a Redis is set to and how it is, as warnings: pure decisions from the fields of its INFO.

CONFIG has more, as `save` and `appendfsync`, but managed services forbid it. What INFO lacks gives no warning.
"""

import re
from collections.abc import Mapping

from zypher.queue_state import EngineWarning, WarningKind

_OLDEST = (6, 2)
_MOST_IN_USE = 0.9  # of the connections
_USE_CONNECTIONS = ("connected_clients", "connected_slaves", "cluster_connections")

NO_CONNECTION = EngineWarning(
    WarningKind.CONNECTIONS, "Redis takes no more connections; raise its maxclients, or stop some of its clients."
)


def is_too_old(version: str) -> bool:
    """Whether a Redis of this version lacks a command which the engine needs; Valkey gives that of its Redis."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < _OLDEST


def warnings_of(info: Mapping[str, object]) -> tuple[EngineWarning, ...]:
    """The warnings about a server with this INFO, one of each kind; none about a replica of a cluster."""
    if info.get("role") == "slave":
        return () if info.get("cluster_enabled") == 1 else _REPLICA
    sentences = {
        WarningKind.EVICTS: _evicts(info),
        WarningKind.NOT_PERSISTENT: _not_persistent(info),
        WarningKind.SAVE_FAILED: _save_failed(info),
        WarningKind.TOO_OLD: _too_old(info),
        WarningKind.CONNECTIONS: _connections(info),
    }
    return tuple(EngineWarning(kind, sentence) for kind, sentence in sentences.items() if sentence is not None)


_REPLICA = (
    EngineWarning(
        WarningKind.REPLICA, "This Redis is a replica, which takes no writes; name the primary in the engine's URL."
    ),
)


def _evicts(info: Mapping[str, object]) -> str | None:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction":
        return None
    # What waits or runs has no expiry in Redis, results have one.
    what = "results before their retention is over" if policy.startswith("volatile") else "what was accepted"
    return (
        f"Redis forgets {what} once its maxmemory is used up (maxmemory-policy {policy}); "
        "set maxmemory-policy noeviction."
    )


def _not_persistent(info: Mapping[str, object]) -> str | None:
    if info.get("aof_enabled") != 0:
        return None
    return (
        "Redis keeps no append-only file, so its crash loses what was accepted since its last snapshot, or everything "
        "if it makes none; set appendonly yes."
    )


def _save_failed(info: Mapping[str, object]) -> str | None:
    if "err" not in (info.get("aof_last_write_status"), info.get("rdb_last_bgsave_status")):
        return None
    return "Redis could not write to its disk the last time; make room there, and see its log."


def _too_old(info: Mapping[str, object]) -> str | None:
    version = str(info.get("redis_version", ""))
    if not version or not is_too_old(version):
        return None
    return f"Redis is {version}; the engine needs Redis 6.2 or later, or Valkey."


def _connections(info: Mapping[str, object]) -> str | None:
    """Without their number, which changes: it would be another warning each minute."""
    most = info.get("maxclients")
    used = sum(number for name in _USE_CONNECTIONS if isinstance(number := info.get(name), int))
    if not isinstance(most, int) or used < _MOST_IN_USE * most:
        return None
    return f"Redis has nine tenths of its {most} connections in use; raise its maxclients, or stop some of its clients."
