-- End a prediction: it leaves the stream, its record begins to expire, whoever watches is told.
local function finish(stream, model, base, told, prediction_id, retention_ms, brief_ms, fields)
  local record = base .. ':p:' .. prediction_id
  local seq, durable, key, watchers = unpack(redis.call('HMGET', record, 'seq', 'durable', 'key', 'watchers'))
  redis.call('XACK', stream, 'workers', seq .. '-0')
  redis.call('XDEL', stream, seq .. '-0')
  redis.call('HDEL', record, 'receipt', 'watchers')
  redis.call('HSET', record, unpack(fields))
  redis.call('PEXPIRE', record, durable == '1' and retention_ms or brief_ms)
  if key then redis.call('PEXPIRE', base .. ':k:' .. key, retention_ms) end
  if redis.call('XLEN', stream) == 0 then
    redis.call('PEXPIRE', stream, retention_ms)
    redis.call('PEXPIRE', model, retention_ms + 60000)
  end
  for watcher in string.gmatch(watchers or '', '[^,]+') do
    redis.call('PUBLISH', told .. watcher, prediction_id)
  end
end
