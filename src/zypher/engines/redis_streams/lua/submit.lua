-- Accept a prediction, once: {'accepted', position}, {'standing', prediction_id}, {'full', waiting}, {'heavy'} or
-- {'reused'}.
-- KEYS: 1 stream, 2 model, 3 delayed, 4 dead, 5 the prediction's record, 6 its idempotency key's (or the record's again)
-- ARGV: base, prediction_id, submitted_at, input, durable, watcher ('' for none), limit, most_bytes, retention_ms,
--       key digest, input digest
-- uses time, queue, joining, burying
local stream, model, delayed, dead, record, key = unpack(KEYS)
local base, prediction_id, submitted_at, input, durable, watcher, limit, most_bytes = unpack(ARGV)
local retention_ms, digest, input_digest = unpack(ARGV, 9)

local stands = redis.call('HGET', record, 'durable')
if stands then
  if durable == '1' and stands ~= '1' then
    redis.call('HSET', record, 'durable', '1')
    if redis.call('PTTL', record) > 0 then redis.call('PEXPIRE', record, retention_ms) end
    local kind, finished_at = unpack(redis.call('HMGET', record, 'kind', 'finished'))
    if kind == 'worker_lost' then bury(dead, record, prediction_id, input, finished_at, retention_ms) end
  end
  return {'standing', prediction_id}
end

if digest ~= '' then
  local first = redis.call('GET', key)
  if first then
    local first_id = string.sub(first, #input_digest + 1)
    if redis.call('EXISTS', base .. ':p:' .. first_id) == 1 then
      if string.sub(first, 1, #input_digest) ~= input_digest then return {'reused'} end
      return {'standing', first_id}
    end
  end
end

local waiting, seq, heavy = join(stream, model, delayed, base, limit, most_bytes, prediction_id, submitted_at, input)
if not seq then return heavy and {'heavy'} or {'full', waiting} end
redis.call('HSET', record, 'seq', seq, 'at', submitted_at, 'durable', durable)
if watcher ~= '' then redis.call('HSET', record, 'watchers', watcher) end
if digest ~= '' then
  redis.call('HSET', record, 'key', digest)
  redis.call('SET', key, input_digest .. prediction_id)
end
return {'accepted', waiting + 1}
