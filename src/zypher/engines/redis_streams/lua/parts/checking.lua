-- Finds what lost its place in a lane.
-- uses lease, losing, stopping

-- The number up to which the group has handed out entries.
local function last_delivered(stream)
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    for index = 1, #group, 2 do
      if group[index] == 'last-delivered-id' then return tonumber(string.match(group[index + 1], '%d+')) end
    end
  end
end

-- Whether an entry was handed out before and is neither leased nor queued again.
local function is_misplaced(lane, entry, found, reached)
  return tonumber(found.seq) <= reached and #pending(lane.stream, entry[1], entry[1], 1) == 0
    and not redis.call('ZSCORE', returned_of(lane), found.seq) and not redis.call('ZSCORE', delayed_of(lane), found.seq)
end

-- Read a part of the stream, the next part in the next sweep, and queue again what is misplaced; whether any was. What
-- cannot be read or is not to run any more ends.
local function check(model, lane, lost)
  local misplaced = false
  local limit = math.max(1, math.min(250, math.floor(1048576 / math.max(1, number_in(model.hash, 'longest')))))
  local from = number_in(model.hash, 'checked' .. lane.suffix)
  local entries = redis.call('XRANGE', lane.stream, string.format('(%.0f-0', from), '+', 'COUNT', limit)
  local reached = last_delivered(lane.stream)
  for _, entry in ipairs(entries) do
    local found = admit(model, lane, entry, lost)
    local waits = found and not leased(model, found.record) and not finish_if_over(model, found.id, found.record)
    if waits and is_misplaced(lane, entry, found, reached) then
      redis.call('ZADD', returned_of(lane), found.seq, found.seq)
      misplaced = true
    end
  end
  local next_from = #entries == limit and string.match(entries[limit][1], '%d+') or '0'
  redis.call('HSET', model.hash, 'checked' .. lane.suffix, next_from)
  return misplaced
end
