"""Takes away one part of what Redis keeps, of each kind; which predictions lost something by it."""

from collections.abc import Mapping
from random import Random
from typing import cast

from tests.redis_client import RedisClient

# Each gets the base of a model's keys and a random number, and returns the ids that it destroyed.
_ENTRY = """
local base, chance = KEYS[1], tonumber(ARGV[1])
local stream = base .. ':stream'
local entries = redis.call('XRANGE', stream, '-', '+')
local entry = entries[chance % math.max(1, #entries) + 1]
if not entry then return {} end
local id = entry[2][2]
local record = base .. ':p:' .. id
"""
KINDS: Mapping[str, str] = {
    "record": _ENTRY + "redis.call('DEL', record) return {id}",
    "unreadable record": _ENTRY + "redis.call('SET', record, 'noise') return {id}",
    "invalid record": _ENTRY + "redis.call('HSET', record, 'at', 'noise', 'attempt', 'noise') return {id}",
    "entry": _ENTRY + "redis.call('XDEL', stream, entry[1]) return {id}",
    "invalid entry": "redis.call('XADD', KEYS[1] .. ':stream', '*', 'p', 'noise') return {}",
    "idempotency key": _ENTRY
    + "local key = redis.call('HGET', record, 'key') if not key then return {} end "
    + "redis.call('DEL', base .. ':k:' .. key) return {id}",
    "returned": "redis.call('ZPOPMIN', KEYS[1] .. ':returned') return {}",
    "delayed": "redis.call('ZADD', KEYS[1] .. ':delayed', 0, 'noise') return {}",
    "presence": "local all = redis.call('HKEYS', KEYS[1] .. ':workers') "
    "if #all > 0 then redis.call('HSET', KEYS[1] .. ':workers', all[1], 'noise') end return {}",
    "life": "redis.call('ZPOPMIN', KEYS[1] .. ':alive') return {}",
    "counters": "redis.call('DEL', KEYS[1] .. ':model') return {}",
    "list": "redis.call('SET', KEYS[1] .. ':all', 'noise') return {}",
    "deadlines": "redis.call('SET', KEYS[1] .. ':deadlines', 'noise') return {}",
    "group": "redis.pcall('XGROUP', 'DESTROY', KEYS[1] .. ':stream', 'workers') return {}",
    "stream": """
local ids = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1] .. ':stream', '-', '+')) do ids[#ids + 1] = entry[2][2] end
redis.call('DEL', KEYS[1] .. ':stream')
return ids
""",
}


def lose(client: RedisClient, base: str, kind: str, chance: Random) -> set[str]:
    """Take away one part of this kind, at once; the ids of those whose part it was."""
    ids = client.execute_command("EVAL", KINDS[kind], 1, base, chance.randrange(1_000))
    return {each.decode() for each in cast(list[bytes], ids)}
