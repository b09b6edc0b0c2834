-- Announce a worker, and keep its card as the model's when it did not announce that before.
-- KEYS: 1 base
-- ARGV: worker_id, presence, holds_ms (how long this holds; 0 for a worker that stops), card ('' for none), its digest
-- uses time
local workers, alive, kept = KEYS[1] .. ':workers', KEYS[1] .. ':alive', KEYS[1] .. ':card'
local worker_id, presence, holds_ms, card, digest = unpack(ARGV)
local now = now_ms()

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
  redis.call('ZREM', alive, gone)
  redis.call('HDEL', workers, gone, gone .. ':card', gone .. ':schemas')
end
if card ~= '' and holds_ms ~= '0' then
  local is_new = redis.call('HGET', workers, worker_id .. ':card') ~= digest
  if is_new or redis.call('EXISTS', kept) == 0 then redis.call('SET', kept, card) end
end
redis.call('ZADD', alive, now + holds_ms, worker_id)
redis.call('HSET', workers, worker_id, presence, worker_id .. ':card', digest)
-- Another worker's lease may be longer: its announcement must not expire with this one's.
for _, key in ipairs({workers, alive}) do
  redis.call('PEXPIRE', key, math.max(holds_ms, redis.call('PTTL', key)))
end
return 1
