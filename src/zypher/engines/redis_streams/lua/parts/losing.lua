-- Ends what cannot go on because its record or its entry is missing or damaged.
-- uses reading, time

-- End a prediction as data_lost. A record that cannot be read is made anew; of its entry, if there is one, `seq`,
-- `submitted_at` and `bytes` are known.
local function lose(model, lane, prediction_id, seq, submitted_at, bytes)
  -- uses ending
  local record = record_of(model, prediction_id)
  local found = read_record(record)
  if not found then
    redis.call('DEL', record)
    redis.call('HSET', record, 'seq', seq, 'at', submitted_at, 'durable', '1', 'bytes', bytes, 'lane', lane.name)
    redis.call('PEXPIRE', events_of(model, prediction_id), model.retention_ms)
    found = {seq = seq, durable = '1', lane = lane.name}
  end
  redis.call('ZREM', returned_of(lane), seq)
  redis.call('ZREM', delayed_of(lane), seq)
  finish(model, prediction_id, found, 'failed', now_us(), {
    'kind', 'data_lost', 'failure', 'data_lost: what Redis kept of it is missing or damaged; send it again',
  })
end

-- The same for one of which nothing but the id is known; its entry is taken out once it is met.
local function lose_record(model, prediction_id)
  lose(model, lane_of(model, 'normal'), prediction_id, '0', now_us(), 0)
end

-- End one as data_lost that has not ended though its entry is missing; whether it is so.
local function lose_if_missing(model, prediction_id, found)
  if found.status then return false end
  local lane, entry = lane_of(model, found.lane), found.seq .. '-0'
  if #redis.call('XRANGE', lane.stream, entry, entry) > 0 then return false end
  lose(model, lane, prediction_id, found.seq)
  return true
end

-- Take an entry out of its stream that is no prediction's.
local function drop(model, lane, entry, seq)
  -- uses ending
  redis.call('XACK', lane.stream, 'workers', entry)
  redis.call('XDEL', lane.stream, entry)
  redis.call('ZREM', returned_of(lane), seq)
  redis.call('ZREM', delayed_of(lane), seq)
  expire_if_empty(model, lane)
end

-- The fields of an entry by their names.
local function fields_of(entry)
  local fields = {}
  for index = 1, #(entry[2] or {}), 2 do fields[entry[2][index]] = entry[2][index + 1] end
  return fields
end

-- Let the idempotency key of a destroyed record expire, if it is still that prediction's.
local function expire_key(model, fields)
  local key = fields.k and model.base .. ':k:' .. fields.k
  if key and string.sub(value_of(key), -#fields.p) == fields.p then redis.call('PEXPIRE', key, model.retention_ms) end
end

-- An entry with its record, as {id, seq, at, input, record}. Nil when one of them cannot be read or does not fit the
-- other: then the entry is taken out, its prediction ends as data_lost, and what was lost is added to `lost`.
local function admit(model, lane, entry, lost)
  local seq = string.match(entry[1], '^(%d+)%-0$') or '0'
  local fields = fields_of(entry)
  local record = fields.p and read_record(record_of(model, fields.p))
  local own = not record or (record.seq == seq and record.lane == lane.name and not record.status)
  if record and own and is_number(fields.t) and fields.i then
    return {id = fields.p, seq = seq, at = fields.t, input = fields.i, record = record}
  end
  if fields.p and own then
    lose(model, lane, fields.p, seq, is_number(fields.t) and fields.t or now_us(), #(fields.i or ''))
  else
    drop(model, lane, entry[1], seq)
  end
  if fields.p and (own or record.status) then expire_key(model, fields) end
  lost[#lost + 1] = fields.p or 'entry ' .. entry[1]
  return nil
end
