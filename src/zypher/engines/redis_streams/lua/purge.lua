-- Forget a dead letter, its record and its idempotency key: 1, or 0 when it is none.
-- KEYS: 1 dead, 2 the prediction's record
-- ARGV: base, prediction_id
if redis.call('ZREM', KEYS[1], ARGV[2]) == 0 then return 0 end
local key = redis.pcall('HGET', KEYS[2], 'key')
if type(key) == 'string' then redis.call('DEL', ARGV[1] .. ':k:' .. key) end
return redis.call('DEL', KEYS[2])
