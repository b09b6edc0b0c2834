-- Lease up to so many predictions, those of the first lane first, the oldest first: {1 when nothing else is ready or 0,
-- what was lost, then for each prediction_id, submitted_at, input, options, attempt, unbegun}. What was lost: see
-- parts/losing.lua. One that is not to run any more ends instead.
-- What was queued again was accepted before whatever was never received, so it goes first.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, limit, bytes (of all inputs together, unless there is only one), receipt,
--       started_at, lease_ms, then the lanes
-- uses queue, losing, stopping
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local limit, bytes, receipt, started_at, lease_ms = unpack(ARGV, 4, 8)
limit = tonumber(limit)
local lost = {}
local answer = {1, lost}

-- Lease so many of a lane; returns their entries, and how many were taken, lost ones included.
local function lease_of(lane, number)
  local entries = {}
  local popped = redis.call('ZPOPMIN', returned_of(lane), number)
  for index = 1, #popped, 2 do
    local entry = popped[index] .. '-0'
    local found = is_number(popped[index]) and redis.call('XRANGE', lane.stream, entry, entry)[1]
    if found then
      redis.call('XCLAIM', lane.stream, 'workers', lease_ms, 0, entry, 'FORCE', 'JUSTID')
      entries[#entries + 1] = found
    end
  end
  local taken = #popped / 2
  if taken == number then return entries, taken end
  local fresh = redis.call(
    'XREADGROUP', 'GROUP', 'workers', lease_ms, 'COUNT', number - taken, 'STREAMS', lane.stream, '>')
  fresh = fresh and fresh[1][2] or {}
  for _, entry in ipairs(fresh) do entries[#entries + 1] = entry end
  if #fresh > 0 then redis.call('HSET', model.hash, 'reached' .. lane.suffix, string.match(fresh[#fresh][1], '%d+')) end
  return entries, taken + #fresh
end

local function hand_out(lane, entry)
  local found = admit(model, lane, entry, lost)
  if not found or finish_if_over(model, found.id, found.record) then return end
  local record = record_of(model, found.id)
  local attempt, unbegun = found.record.attempt + 1, found.record.unbegun + 1
  redis.call('HSET', record, 'receipt', receipt, 'started', started_at, 'unbegun', unbegun)
  local last = #answer
  answer[last + 1], answer[last + 2], answer[last + 3] = found.id, found.at, found.input
  answer[last + 4], answer[last + 5], answer[last + 6] = found.record.options or '', attempt, unbegun
end

local notices = ARGV[9] == 'webhooks'
if not notices then
  if redis.call('EXISTS', model.base .. ':paused') == 1 then return answer end
  limit = math.min(limit, math.max(1, math.floor(bytes / math.max(1, number_in(model.hash, 'longest')))))
end
for index = 9, #ARGV do
  local lane = lane_of(model, ARGV[index])
  if redis.call('XLEN', lane.stream) > 0 and pending(lane.stream) then
    put_back_due(lane)
    local entries, taken = lease_of(lane, limit)
    for _, entry in ipairs(entries) do hand_out(lane, entry) end
    limit = limit - taken
  end
  if limit == 0 then
    answer[1] = 0
    break
  end
end
return answer
