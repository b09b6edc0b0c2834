-- A prediction as it stands: {} for none, else {'queued' | 'running' | 'ended' | 'lost', position, the fields of its
-- record}. One whose record or entry is missing or damaged ends as data_lost now: that is 'lost'.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed, 5 the prediction's record
-- ARGV: base, channels, prediction_id, retention_ms, watcher (the process to whose channel its end is published, '' for
--       none), then the names of the fields
-- uses time, reading, pending, lease, queue, ending, losing
local stream, model, returned, delayed, record = unpack(KEYS)
local base, channels, prediction_id, retention_ms, watcher = unpack(ARGV)

local function fields() return redis.call('HMGET', record, unpack(ARGV, 6)) end

local function lost(seq, submitted_at, bytes)
  local queue = {
    stream = stream, model = model, returned = returned, delayed = delayed,
    base = base, channels = channels, retention_ms = retention_ms,
  }
  lose(queue, prediction_id, seq, submitted_at, bytes)
  return {'lost', 0, fields()}
end

-- A full Redis refuses this. A watcher also reads the prediction after each of its sweeps.
local function watch_end()
  local watchers = redis.call('HGET', record, 'watchers')
  if watcher == '' or string.find(watchers or '', watcher, 1, true) then return end
  redis.pcall('HSET', record, 'watchers', watchers and watchers .. ',' .. watcher or watcher)
end

local found = read_record(record)
if found == nil then return {} end
if not found then return lost('0', now_us(), 0) end
if found.status then return {'ended', 0, fields()} end
if found.receipt and leased(stream, model, found.seq .. '-0') then
  watch_end()
  return {'running', 0, fields()}
end
local entry = redis.call('XRANGE', stream, found.seq .. '-0', found.seq .. '-0')[1]
if not entry or (entry[2] or {})[2] ~= prediction_id then return lost(found.seq) end

watch_end()
local position = 1
local rank = redis.call('ZRANK', returned, found.seq)
local reached = number_in(model, 'reached')
if rank then
  position = rank + 1
elseif tonumber(found.seq) > reached then
  position = redis.call('ZCARD', returned) + found.seq - reached
end
return {'queued', math.max(1, math.min(position, (counts(stream)))), fields()}
