-- Take over predictions of format 1: a revision becomes a part of the options, durable predictions are listed. May happen
-- twice.
-- KEYS: 1 base
-- ARGV: the ids of the predictions
-- uses reading
local model = model_of(KEYS[1])
local longest_ms = redis.call('PTTL', list_of(model))
for _, prediction_id in ipairs(ARGV) do
  local record = record_of(model, prediction_id)
  local found = read_record(record)
  local revision = found and redis.call('HGET', record, 'revision')
  if revision then
    redis.call('HSET', record, 'options', cjson.encode({revision = revision}))
    redis.call('HDEL', record, 'revision')
  end
  if found and found.durable == '1' then
    redis.call('ZADD', list_of(model), found.seq, prediction_id)
    longest_ms = math.max(longest_ms, redis.call('PTTL', record))
  end
end
-- The list of a model of which nothing waits or runs expires with the last of its records.
if redis.call('XLEN', lane_of(model, 'normal').stream) > 0 then
  redis.call('PERSIST', list_of(model))
elseif longest_ms >= 0 then
  redis.call('PEXPIRE', list_of(model), longest_ms)
end
return #ARGV
