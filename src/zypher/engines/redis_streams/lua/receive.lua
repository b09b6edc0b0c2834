-- Lease up to so many predictions, the oldest first: {1 when nothing else is ready or 0, what was lost, then for each
-- prediction_id, submitted_at, input, revision, attempt, unbegun}; {} for no stream. What was lost: see
-- parts/losing.lua.
-- What was queued again was accepted before whatever was never received, so it goes first.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed
-- ARGV: base, channels, retention_ms, limit, bytes (of all inputs together, unless there is only one), receipt,
--       started_at, lease_ms
-- uses time, reading, pending, queue, ending, losing
local stream, model, returned, delayed = unpack(KEYS)
local base, channels, retention_ms, limit, bytes, receipt, started_at, lease_ms = unpack(ARGV)
local queue = {
  stream = stream, model = model, returned = returned, delayed = delayed,
  base = base, channels = channels, retention_ms = retention_ms,
}
if redis.call('EXISTS', stream) == 0 or not pending(stream) then return {} end

put_back_due(returned, delayed)
local longest = math.max(1, number_in(model, 'longest'))
limit = math.min(limit, math.max(1, math.floor(bytes / longest)))
local entries = {}
local popped = redis.call('ZPOPMIN', returned, limit)
for index = 1, #popped, 2 do
  local entry = popped[index] .. '-0'
  local found = is_number(popped[index]) and redis.call('XRANGE', stream, entry, entry)[1]
  if found then
    redis.call('XCLAIM', stream, 'workers', lease_ms, 0, entry, 'FORCE', 'JUSTID')
    entries[#entries + 1] = found
  end
end
local taken = #popped / 2
if taken < limit then
  local fresh = redis.call('XREADGROUP', 'GROUP', 'workers', lease_ms, 'COUNT', limit - taken, 'STREAMS', stream, '>')
  fresh = fresh and fresh[1][2] or {}
  for _, entry in ipairs(fresh) do entries[#entries + 1] = entry end
  if #fresh > 0 then redis.call('HSET', model, 'reached', string.match(fresh[#fresh][1], '%d+')) end
  taken = taken + #fresh
end

local lost = {}
local answer = {taken < limit and 1 or 0, lost}
for _, entry in ipairs(entries) do
  local found = admit(queue, entry, lost)
  if found then
    local unbegun = found.record.unbegun + 1
    redis.call('HSET', base .. ':p:' .. found.id, 'receipt', receipt, 'started', started_at, 'unbegun', unbegun)
    local revision, attempt = found.record.revision or '', found.record.attempt + 1
    for _, part in ipairs({found.id, found.at, found.input, revision, attempt, unbegun}) do
      answer[#answer + 1] = part
    end
  end
end
return answer
