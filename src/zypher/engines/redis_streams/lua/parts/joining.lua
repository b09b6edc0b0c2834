-- Lets predictions join their lanes. What is counted here parts/ending.lua takes away again; a model of which nothing
-- waits or runs begins anew, whatever an older version left.
-- A full Redis refuses a script at its first write and no later one, so that must be one that needs memory.
-- uses priorities, queue, appending, publishing, listing

-- How many of a model wait, by lane and in `all` together, which lanes are empty, the `bytes` of the inputs that have
-- not ended, the longest of which has `longest`, and the last numbers of the lanes and of the list.
local function load_of(model)
  local bytes, longest, listed, normal, high, low = unpack(redis.call(
    'HMGET', model.hash, 'bytes', 'longest', 'listed', 'seq', 'seq:high', 'seq:low'))
  local last = {normal = tonumber(normal) or 0, high = tonumber(high), low = tonumber(low)}
  local load = {all = 0, empty = {}, last = last, listed = tonumber(listed) or last_listed(model)}
  local unfinished = 0
  for _, name in ipairs(PRIORITIES) do
    local queued, running = 0, 0
    if last[name] then queued, running = counts(lane_of(model, name).stream) end
    load[name], load.empty[name], load.all = queued, queued + running == 0, load.all + queued
    unfinished = unfinished + queued + running
  end
  load.bytes = unfinished > 0 and math.max(0, tonumber(bytes) or 0) or 0
  load.longest = unfinished > 0 and tonumber(longest) or 0
  return load
end

-- Make room in lanes, for so many inputs each, which have so many bytes together and the longest of them `longest`.
-- Nil; or why there is none, when more than `limit` would wait or the inputs would have more than `most_bytes`.
local function make_room(model, load, lanes, bytes, longest, limit, most_bytes)
  local number, fields = 0, {'bytes', load.bytes + bytes}
  if longest > load.longest then fields[3], fields[4] = 'longest', longest end
  for name, each in pairs(lanes) do
    local counter = 'seq' .. lane_of(model, name).suffix
    load.last[name] = load.last[name] or number_in(model.hash, counter)
    fields[#fields + 1] = counter
    fields[#fields + 1] = load.last[name] + each
    number = number + each
  end
  if load.bytes + bytes > tonumber(most_bytes) then return {'heavy'} end
  if load.all + number > tonumber(limit) then return {'full', load.all} end
  redis.call('HSET', model.hash, 'listed', load.listed + number, unpack(fields))
end

-- Queue a prediction for which there is room, behind all others of its lane; returns its number.
local function join(model, load, lane, ...)
  local waiting = load[lane.name] or (counts(lane.stream))
  if load.empty[lane.name] ~= false then
    open_lane(model, lane)
    load.empty[lane.name] = false
  end
  load.last[lane.name] = load.last[lane.name] + 1
  local seq = append(model, lane, load.last[lane.name], ...)
  -- A receiver waits only once it found nothing ready, so only the first that becomes ready is published.
  if waiting == 0 or waiting == redis.call('ZCARD', delayed_of(lane)) then publish_ready(model, lane.name) end
  load[lane.name] = waiting + 1
  return seq
end

-- List a prediction that joined and is durable.
local function list(model, load, lane, prediction_id)
  load.listed = load.listed + 1
  enlist(model, lane.name, prediction_id, load.listed)
end

-- How many of a model wait in a lane and in those that are handed out before it.
local function waiting_until(load, name)
  local waiting = 0
  for _, each in ipairs(PRIORITIES) do
    waiting = waiting + load[each]
    if each == name then return waiting end
  end
  return load[name]
end
