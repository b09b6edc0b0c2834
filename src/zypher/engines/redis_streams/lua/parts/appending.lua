-- Gives each entry of a lane its number.
-- uses lanes, time

-- Make a lane ready for an entry: what expires while nothing of it waits or runs does not expire now.
local function open_lane(model, lane)
  if redis.call('EXISTS', lane.stream) == 0 then
    local others = 0
    for name in pairs(SUFFIX) do others = others + redis.call('EXISTS', lane_of(model, name).stream) end
    if others == 0 then redis.call('HSET', model.hash, 'swept_at', now_ms()) end
    redis.call('XGROUP', 'CREATE', lane.stream, 'workers', '0', 'MKSTREAM')
  end
  for _, key in ipairs({lane.stream, model.hash, list_of(model)}) do redis.call('PERSIST', key) end
end

-- The next number of a lane as the model's hash counts them.
local function next_number(model, lane)
  local number = redis.pcall('HINCRBY', model.hash, 'seq' .. lane.suffix, 1)
  return type(number) == 'number' and number or 0
end

-- Append an entry to a lane that is ready, under this number or a higher one; returns the number. It is above all that
-- the lane ever had: also where the model's hash, which counts them, was lost or an entry was added by hand.
local function append(model, lane, seq, ...)
  if type(redis.pcall('XADD', lane.stream, seq .. '-0', ...)) == 'string' then return seq end
  local about = redis.call('XINFO', 'STREAM', lane.stream)
  for index = 1, #about, 2 do
    if about[index] == 'last-generated-id' then seq = string.match(about[index + 1], '%d+') + 1 end
  end
  seq = string.format('%.0f', seq)
  redis.call('HSET', model.hash, 'seq' .. lane.suffix, seq)
  redis.call('XADD', lane.stream, seq .. '-0', ...)
  return seq
end
