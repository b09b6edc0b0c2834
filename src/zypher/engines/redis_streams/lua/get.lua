-- A prediction as it stands: {} for none, else {'queued' | 'running' | 'ended' | 'lost', position, the fields of its
-- record}. One whose record or entry is missing or damaged ends as data_lost now: that is 'lost'.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, prediction_id, watcher (the process to whose channel its end is published, ''
--       for none), then the names of the fields
-- uses priorities, queue, publishing, lease, losing, stopping
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local prediction_id, watcher = ARGV[4], ARGV[5]
local record = record_of(model, prediction_id)

local function answer(state, position) return {state, position or 0, redis.call('HMGET', record, unpack(ARGV, 6))} end

-- The place in its lane, behind what waits in the lanes that are handed out before.
local function position_of(found, lane)
  local position = 1
  local rank = redis.call('ZRANK', returned_of(lane), found.seq)
  local reached = number_in(model.hash, 'reached' .. lane.suffix)
  if rank then
    position = rank + 1
  elseif tonumber(found.seq) > reached then
    position = redis.call('ZCARD', returned_of(lane)) + found.seq - reached
  end
  position = math.min(position, (counts(lane.stream)))
  for _, name in ipairs(PRIORITIES) do
    if name == lane.name then break end
    position = position + counts(lane_of(model, name).stream)
  end
  return math.max(1, position)
end

local found = read_record(record)
if found == nil then return {} end
if not found then
  lose_record(model, prediction_id)
  return answer('lost')
end
if found.status then return answer('ended') end
if leased(model, found) then
  add_process(record, 'watchers', watcher)
  return answer('running')
end
local lane = lane_of(model, found.lane)
local entry = redis.call('XRANGE', lane.stream, found.seq .. '-0', found.seq .. '-0')[1]
if not entry or (entry[2] or {})[2] ~= prediction_id then
  lose(model, lane, prediction_id, found.seq)
  return answer('lost')
end
if finish_if_over(model, prediction_id, found) then return answer('ended') end
add_process(record, 'watchers', watcher)
return answer('queued', position_of(found, lane))
