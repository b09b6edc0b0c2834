-- What is published of an end: the id, and behind a zero byte the fields of a short result, which saves a read.
-- uses publishing, time, notices
local function message_of(record, prediction_id)
  local length = redis.call('HSTRLEN', record, 'output')
  if length == 0 or length > 4096 then return prediction_id end
  local words = redis.call('HMGET', record, 'at', 'durable', 'attempt', 'started', 'finished', 'status', 'run_s',
    'options', 'output')
  words[8] = words[8] or ''
  for place = 1, 9 do
    if not words[place] then return prediction_id end
  end
  return prediction_id .. '\0' .. table.concat(words, '\0')
end

-- The stream of a lane expires when nothing of it waits or runs; what belongs to all lanes, when that is so of each.
local function expire_if_empty(model, lane)
  if redis.call('XLEN', lane.stream) > 0 then return end
  redis.call('PEXPIRE', lane.stream, model.retention_ms)
  for name in pairs(SUFFIX) do
    if name ~= lane.name and redis.call('XLEN', lane_of(model, name).stream) > 0 then return end
  end
  redis.call('PEXPIRE', model.hash, model.retention_ms + 60000)
  redis.call('PEXPIRE', list_of(model), model.retention_ms)
  redis.call('DEL', deadlines_of(model))
end

-- End the prediction of a record: it leaves its lane, what is kept of it begins to expire, who awaits it gets a message.
-- `fields` are those of its outcome besides `status` and `finished`.
local function finish(model, prediction_id, found, status, finished_at, fields)
  local record = record_of(model, prediction_id)
  local lane = lane_of(model, found.lane)
  local kept_ms = found.durable == '1' and model.retention_ms or model.brief_ms
  local key, watchers, bytes, notify, events, listeners =
    unpack(redis.call('HMGET', record, 'key', 'watchers', 'bytes', 'notify', 'events', 'listeners'))
  redis.call('XACK', lane.stream, 'workers', found.seq .. '-0')
  redis.call('XDEL', lane.stream, found.seq .. '-0')
  if bytes then redis.pcall('HINCRBY', model.hash, 'bytes', -(tonumber(bytes) or 0)) end
  redis.call('HDEL', record, 'receipt', 'unbegun', 'bytes', 'watchers', 'listeners', 'stop')
  redis.call('HSET', record, 'status', status, 'finished', finished_at, unpack(fields or {}))
  redis.call('PEXPIRE', record, kept_ms)
  if key then redis.call('PEXPIRE', model.base .. ':k:' .. key, model.retention_ms) end
  if events then redis.call('PEXPIRE', events_of(model, prediction_id), kept_ms) end
  if found.deadline then redis.pcall('ZREM', deadlines_of(model), prediction_id) end
  if notify then give_notice(model, prediction_id, found.seq, finished_at) end
  expire_if_empty(model, lane)
  if watchers then publish_to(watchers, model.channels .. 'ends:', message_of(record, prediction_id)) end
  if listeners then publish_to(listeners, model.channels .. 'events:', prediction_id) end
end
