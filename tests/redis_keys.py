"""What may stay in a Redis for good: the models' names and cards, and what has not ended yet."""

import re

from tests.redis_client import RedisClient

_STREAM = re.compile(rb":stream((?::\w+)?)$")


def leftovers(client: RedisClient, prefix: str = "zypher") -> list[str]:
    """The keys that never expire though nothing waits or runs that needs them."""
    lasting = {key for key in client.keys("*") if client.pttl(key) == -1}
    return sorted(key.decode(errors="replace") for key in lasting - _needed(client, lasting) - {prefix.encode()})


def _needed(client: RedisClient, keys: set[bytes]) -> set[bytes]:
    needed = {key for key in keys if key.endswith((b":card", b":paused"))}
    for stream in (key for key in keys if _STREAM.search(key)):
        base, lane = _STREAM.split(stream)[:2]
        entries = client.xrange(stream)
        if entries:
            needed |= {stream, *(base + name for name in (b":model", b":all", b":deadlines"))}
            needed |= {base + name + lane for name in (b":returned", b":delayed")}
        for _, fields in entries:
            record = base + b":p:" + fields[b"p"]
            digest = client.hget(record, "key")
            needed |= {record, base + b":e:" + fields[b"p"]}
            needed |= set() if digest is None else {base + b":k:" + digest}
    return needed
