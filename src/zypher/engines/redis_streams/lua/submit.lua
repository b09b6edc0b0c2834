-- Accept a prediction, once: {'accepted', position}, {'standing', prediction_id}, {'full', waiting}, {'heavy'} or
-- {'reused'}.
-- KEYS: 1 stream, 2 model, 3 delayed, 4 dead, 5 the prediction's record, 6 its idempotency key's (or the record's
--       again), 7 returned
-- ARGV: base, prediction_id, submitted_at, input, durable, watcher ('' for none), limit, most_bytes, retention_ms,
--       key digest, input digest, channels, revision of the model ('' for unknown)
-- uses time, reading, pending, queue, joining, burying, ending, losing
local stream, model, delayed, dead, record, key, returned = unpack(KEYS)
local base, prediction_id, submitted_at, input, durable, watcher, limit, most_bytes = unpack(ARGV)
local retention_ms, digest, input_digest, channels, revision = unpack(ARGV, 9)

local found = read_record(record)
if found == false then
  local queue = {
    stream = stream, model = model, returned = returned, delayed = delayed,
    base = base, channels = channels, retention_ms = retention_ms,
  }
  lose(queue, prediction_id, '0', submitted_at, 0)
  return {'standing', prediction_id}
end
if found then
  if durable == '1' and found.durable ~= '1' then
    redis.call('HSET', record, 'durable', '1')
    if redis.call('PTTL', record) > 0 then redis.call('PEXPIRE', record, retention_ms) end
    local kind, finished_at = unpack(redis.call('HMGET', record, 'kind', 'finished'))
    if kind == 'worker_lost' then bury(dead, record, prediction_id, input, finished_at, retention_ms) end
  end
  return {'standing', prediction_id}
end

if digest ~= '' then
  local first = redis.pcall('GET', key)
  if type(first) == 'string' then
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
if revision ~= '' then redis.call('HSET', record, 'revision', revision) end
if watcher ~= '' then redis.call('HSET', record, 'watchers', watcher) end
if digest ~= '' then
  redis.call('HSET', record, 'key', digest)
  redis.call('SET', key, input_digest .. prediction_id)
end
return {'accepted', waiting + 1}
