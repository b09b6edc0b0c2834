-- What is published of an end: the id, and behind a zero byte the fields of a short result, which saves a read.
local function message_of(record, prediction_id)
  local length = redis.call('HSTRLEN', record, 'output')
  if length == 0 or length > 4096 then return prediction_id end
  local words = redis.call('HMGET', record, 'at', 'durable', 'attempt', 'started', 'finished', 'status', 'run_s', 'output')
  for place = 1, 8 do
    if not words[place] then return prediction_id end
  end
  return prediction_id .. '\0' .. table.concat(words, '\0')
end

-- The stream of a model without predictions expires.
local function expire_if_empty(stream, model, retention_ms)
  if redis.call('XLEN', stream) > 0 then return end
  redis.call('PEXPIRE', stream, retention_ms)
  redis.call('PEXPIRE', model, retention_ms + 60000)
end

-- End a prediction: it leaves the stream, its record begins to expire, its watchers get a message.
-- The channel of a watcher is `channels` and its id.
local function finish(stream, model, base, channels, prediction_id, retention_ms, brief_ms, fields)
  local record = base .. ':p:' .. prediction_id
  local seq, durable, key, watchers, bytes =
    unpack(redis.call('HMGET', record, 'seq', 'durable', 'key', 'watchers', 'bytes'))
  redis.call('XACK', stream, 'workers', seq .. '-0')
  redis.call('XDEL', stream, seq .. '-0')
  if bytes then redis.pcall('HINCRBY', model, 'bytes', -(tonumber(bytes) or 0)) end
  redis.call('HDEL', record, 'receipt', 'watchers', 'bytes', 'unbegun')
  redis.call('HSET', record, unpack(fields))
  redis.call('PEXPIRE', record, durable == '1' and retention_ms or brief_ms)
  if key then redis.call('PEXPIRE', base .. ':k:' .. key, retention_ms) end
  expire_if_empty(stream, model, retention_ms)
  if not watchers then return end
  local message = message_of(record, prediction_id)
  for watcher in string.gmatch(watchers, '[^,]+') do
    redis.call('PUBLISH', channels .. watcher, message)
  end
end
