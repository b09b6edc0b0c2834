-- Lets predictions join their lanes. What is counted here parts/ending.lua takes away again; a model of which nothing
-- waits or runs begins anew, whatever an older version left.
-- A full Redis refuses a script at its first write and no later one, so that must be one that needs memory.
-- uses priorities, queue, appending, publishing

-- How many of a model wait, by lane and in `all` together, which lanes are empty, and the `bytes` of the inputs that have
-- not ended, the longest of which has `longest`.
local function load_of(model)
  local load = {high = 0, low = 0, all = 0, empty = {}}
  -- The lane normal alone is the usual case.
  local others = redis.call('EXISTS', lane_of(model, 'high').stream, lane_of(model, 'low').stream) > 0
  local bytes, longest = unpack(redis.call('HMGET', model.hash, 'bytes', 'longest'))
  local unfinished = 0
  for _, name in ipairs(PRIORITIES) do
    local queued, running = 0, 0
    if others or name == 'normal' then queued, running = counts(lane_of(model, name).stream) end
    load[name], load.empty[name], load.all = queued, queued + running == 0, load.all + queued
    unfinished = unfinished + queued + running
  end
  load.bytes = unfinished > 0 and math.max(0, tonumber(bytes) or 0) or 0
  load.longest = unfinished > 0 and tonumber(longest) or 0
  return load
end

-- Make room for so many more with so many bytes, the longest input of `longest` bytes. Nil; or why there is none, when
-- more than `limit` would wait or the inputs would have more than `most_bytes`.
local function make_room(model, load, number, bytes, longest, limit, most_bytes)
  if load.bytes + bytes > tonumber(most_bytes) then return {'heavy'} end
  if load.all + number > tonumber(limit) then return {'full', load.all} end
  redis.call('HSET', model.hash, 'bytes', load.bytes + bytes, 'longest', math.max(load.longest, longest))
end

-- Queue a prediction behind all others of its lane; returns its number.
local function join(model, load, lane, ...)
  local waiting = load[lane.name] or (counts(lane.stream))
  if load.empty[lane.name] ~= false then
    open_lane(model, lane)
    load.empty[lane.name] = false
  end
  local seq = append(model, lane, ...)
  -- A receiver waits only once it found nothing ready, so only the first that becomes ready is published.
  if waiting == 0 or waiting == redis.call('ZCARD', lane.delayed) then publish_ready(model, lane.name) end
  load[lane.name] = waiting + 1
  return seq
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
