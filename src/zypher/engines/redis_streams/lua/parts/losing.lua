-- Ends what cannot go on because its record or its entry is missing or damaged.
-- `queue` has the keys stream, model, returned and delayed, and base, channels, retention_ms.

-- End a prediction as data_lost. A record that cannot be read is made anew.
local function lose(queue, prediction_id, seq, submitted_at, bytes)
  local record = queue.base .. ':p:' .. prediction_id
  if not read_record(record) then
    redis.call('DEL', record)
    redis.call('HSET', record, 'seq', seq, 'at', submitted_at, 'durable', '1', 'bytes', bytes)
  end
  redis.call('ZREM', queue.returned, seq)
  redis.call('ZREM', queue.delayed, seq)
  finish(queue.stream, queue.model, queue.base, queue.channels, prediction_id, queue.retention_ms, queue.retention_ms, {
    'status', 'failed', 'finished', now_us(), 'kind', 'data_lost',
    'failure', 'data_lost: what Redis kept of it is missing or damaged; send it again',
  })
end

-- Take an entry out of the stream that is no prediction's.
local function drop(queue, entry, seq)
  redis.call('XACK', queue.stream, 'workers', entry)
  redis.call('XDEL', queue.stream, entry)
  redis.call('ZREM', queue.returned, seq)
  redis.call('ZREM', queue.delayed, seq)
  expire_if_empty(queue.stream, queue.model, queue.retention_ms)
end

-- The fields of an entry by their names.
local function fields_of(entry)
  local fields = {}
  for index = 1, #(entry[2] or {}), 2 do fields[entry[2][index]] = entry[2][index + 1] end
  return fields
end

-- An entry with its record, as {id, seq, at, input, record}. Nil when one of them cannot be read or does not fit the
-- other: then the entry is taken out, its prediction ends as data_lost, and what was lost is added to `lost`.
local function admit(queue, entry, lost)
  local seq = string.match(entry[1], '^(%d+)%-0$') or '0'
  local fields = fields_of(entry)
  local record = fields.p and read_record(queue.base .. ':p:' .. fields.p)
  local own = not record or (record.seq == seq and not record.status)
  if record and own and is_number(fields.t) and fields.i then
    return {id = fields.p, seq = seq, at = fields.t, input = fields.i, record = record}
  end
  if fields.p and own then
    lose(queue, fields.p, seq, is_number(fields.t) and fields.t or now_us(), #(fields.i or ''))
  else
    drop(queue, entry[1], seq)
  end
  lost[#lost + 1] = fields.p or 'entry ' .. entry[1]
  return nil
end
