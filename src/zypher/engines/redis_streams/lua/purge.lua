-- Forget a dead letter, its record, its events and its idempotency key: 1, or 0 when it is none.
-- KEYS: 1 base
-- ARGV: prediction_id
-- uses reading
local model, prediction_id = model_of(KEYS[1]), ARGV[1]
local record = record_of(model, prediction_id)
if redis.call('ZREM', model.base .. ':dead', prediction_id) == 0 then return 0 end
redis.pcall('ZREM', list_of(model), prediction_id)
local key = redis.pcall('HGET', record, 'key')
key = type(key) == 'string' and model.base .. ':k:' .. key
if key and string.sub(value_of(key), -#prediction_id) == prediction_id then redis.call('DEL', key) end
redis.call('DEL', events_of(model, prediction_id))
return redis.call('DEL', record)
