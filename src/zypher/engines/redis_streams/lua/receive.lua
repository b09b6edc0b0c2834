-- Lease up to so many predictions, the oldest first: {prediction_id, submitted_at, input, attempt, unbegun, ..., 1 or 0},
-- {} for none; the last word is 1 when nothing else is ready.
-- What was queued again was accepted before whatever was never received, so it goes first.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed
-- ARGV: base, limit, bytes (of all inputs together, unless there is only one), receipt, started_at, lease_ms
-- uses time, queue
local stream, model, returned, delayed = unpack(KEYS)
local base, limit, bytes, receipt, started_at, lease_ms = unpack(ARGV)
if redis.call('EXISTS', stream) == 0 then return {} end

put_back_due(returned, delayed)
local longest = math.max(1, redis.call('HGET', model, 'longest') or 1)
limit = math.min(limit, math.max(1, math.floor(bytes / longest)))
local entries = {}
local popped = redis.call('ZPOPMIN', returned, limit)
for index = 1, #popped, 2 do
  local entry = popped[index] .. '-0'
  redis.call('XCLAIM', stream, 'workers', lease_ms, 0, entry, 'FORCE', 'JUSTID')
  entries[#entries + 1] = redis.call('XRANGE', stream, entry, entry)[1]
end
if #entries < limit then
  local fresh = redis.call('XREADGROUP', 'GROUP', 'workers', lease_ms, 'COUNT', limit - #entries, 'STREAMS', stream, '>')
  for _, entry in ipairs(fresh and fresh[1][2] or {}) do entries[#entries + 1] = entry end
  if fresh then redis.call('HSET', model, 'reached', string.match(entries[#entries][1], '%d+')) end
end

local deliveries = {}
for _, entry in ipairs(entries) do
  local _, prediction_id, _, submitted_at, _, input = unpack(entry[2])
  local record = base .. ':p:' .. prediction_id
  local attempts, unbegun = unpack(redis.call('HMGET', record, 'attempt', 'unbegun'))
  attempts, unbegun = attempts or 0, (unbegun or 0) + 1
  redis.call('HSET', record, 'receipt', receipt, 'started', started_at, 'unbegun', unbegun)
  for _, part in ipairs({prediction_id, submitted_at, input, attempts + 1, unbegun}) do
    deliveries[#deliveries + 1] = part
  end
end
if #entries > 0 then deliveries[#deliveries + 1] = #entries < limit and 1 or 0 end
return deliveries
