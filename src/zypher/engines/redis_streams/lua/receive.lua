-- Lease up to so many predictions, the oldest first: {prediction_id, submitted_at, input, attempt, ...}.
-- What came back was accepted before anything that never left, so it goes first.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed
-- ARGV: base, limit, bytes (no more than the one that exceeds them), receipt, started_at, lease_ms
-- uses time, queue
local stream, model, returned, delayed = unpack(KEYS)
local base, limit, bytes, receipt, started_at, lease_ms = unpack(ARGV)
if redis.call('EXISTS', stream) == 0 then return {} end

local function returned_entry()
  local seq = redis.call('ZPOPMIN', returned)[1]
  redis.call('XCLAIM', stream, 'workers', lease_ms, 0, seq .. '-0', 'FORCE', 'JUSTID')
  return redis.call('XRANGE', stream, seq .. '-0', seq .. '-0')[1]
end

local reached
local function fresh_entry()
  local fresh = redis.call('XREADGROUP', 'GROUP', 'workers', lease_ms, 'COUNT', 1, 'STREAMS', stream, '>')
  if not fresh then return end
  reached = string.match(fresh[1][2][1][1], '%d+')
  return fresh[1][2][1]
end

put_back_due(returned, delayed)
local came_back = redis.call('ZCARD', returned)
local deliveries, taken, taken_bytes = {}, 0, 0
while taken < tonumber(limit) and taken_bytes < tonumber(bytes) do
  local entry = taken < came_back and returned_entry() or fresh_entry()
  if not entry then break end
  local _, prediction_id, _, submitted_at, _, input = unpack(entry[2])
  local record = base .. ':p:' .. prediction_id
  local attempt = redis.call('HINCRBY', record, 'attempt', 1)
  redis.call('HSET', record, 'receipt', receipt, 'started', started_at)
  for _, part in ipairs({prediction_id, submitted_at, input, attempt}) do deliveries[#deliveries + 1] = part end
  taken, taken_bytes = taken + 1, taken_bytes + #input
end
if reached then redis.call('HSET', model, 'reached', reached) end
return deliveries
