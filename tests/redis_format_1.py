"""The keys that a version with format 1 left behind, one prediction in each state, written to a Redis as they were."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from redis.exceptions import MovedError

from tests.redis_client import RedisClient

_KEYS = Path(__file__).with_suffix(".json")  # texts in latin-1
MODEL = "model"
OTHER = "other model"
REVISION = "0123456789ab"


def id_of(name: str) -> str:
    """The id of the prediction with this name: ended, dead, delayed, returned, running, waiting, plain, passing."""
    return name.ljust(26, "0")


def write_format_1(clients: Sequence[RedisClient]) -> None:
    """Write all keys, each to the node that takes it."""
    for key, stored in json.loads(_KEYS.read_text()).items():
        for words in _commands(key.encode("latin-1"), stored["kind"], stored["content"]):
            _execute(clients, *words)
        if stored["expires_in_ms"] > 0:
            _execute(clients, b"PEXPIRE", key.encode("latin-1"), b"%d" % stored["expires_in_ms"])


def _commands(key: bytes, kind: str, content: object) -> list[tuple[bytes, ...]]:
    commands: Mapping[str, Callable[[], list[tuple[bytes, ...]]]] = {
        "string": lambda: [(b"SET", key, _bytes(content))],
        "hash": lambda: [(b"HSET", key, *_pairs(content))],
        "zset": lambda: [(b"ZADD", key, _bytes(score), _bytes(each)) for each, score in _items(content)],
        "stream": lambda: _stream(key, cast("dict[str, object]", content)),
    }
    return commands[kind]()


def _stream(key: bytes, content: Mapping[str, object]) -> list[tuple[bytes, ...]]:
    entries = cast("list[tuple[str, list[str]]]", content["entries"])
    leases = cast("list[tuple[str, str]]", content["leases"])
    group = key, b"workers"
    return [
        (b"XGROUP", b"CREATE", *group, b"0", b"MKSTREAM"),
        *((b"XADD", key, _bytes(number), *map(_bytes, words)) for number, words in entries),
        (b"XGROUP", b"SETID", *group, _bytes(content["delivered"])),
        *((b"XCLAIM", *group, _bytes(lease), b"0", _bytes(number), b"FORCE", b"JUSTID") for number, lease in leases),
    ]


def _items(content: object) -> list[tuple[str, object]]:
    return list(cast("dict[str, object]", content).items())


def _pairs(content: object) -> list[bytes]:
    return [_bytes(word) for pair in _items(content) for word in pair]


def _bytes(word: object) -> bytes:
    return f"{word:.0f}".encode() if isinstance(word, float) else str(word).encode("latin-1")


def _execute(clients: Sequence[RedisClient], *words: bytes) -> None:
    for client in clients[:-1]:
        try:
            client.execute_command(*words)
        except MovedError:
            continue
        return
    clients[-1].execute_command(*words)
