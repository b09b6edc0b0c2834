-- Announce a worker: '', or the id of a living worker with other schemas, and nothing is announced.
-- KEYS: 1 workers, 2 alive
-- ARGV: worker_id, schemas (a digest, '' for none), presence, holds_ms (how long this holds; 0 for a worker that stops)
-- uses time
local workers, alive = KEYS[1], KEYS[2]
local worker_id, schemas, presence, holds_ms = unpack(ARGV)
local now = now_ms()

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
  redis.call('ZREM', alive, gone)
  redis.call('HDEL', workers, gone, gone .. ':schemas')
end
for _, other in ipairs(redis.call('ZRANGE', alive, 0, -1)) do
  local others = redis.call('HGET', workers, other .. ':schemas') or ''
  local differ = #others == #schemas and others ~= schemas  -- what is no digest is no schema
  if schemas ~= '' and other ~= worker_id and differ then return other end
end
redis.call('ZADD', alive, now + holds_ms, worker_id)
redis.call('HSET', workers, worker_id, presence, worker_id .. ':schemas', schemas)
-- Another worker's lease may be longer: its announcement must not expire with this one's.
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, math.max(holds_ms, redis.call('PTTL', key)))
end
return ''
