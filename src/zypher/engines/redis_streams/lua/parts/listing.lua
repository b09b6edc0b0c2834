-- The list of a model's durable predictions, each with a number in the order of acceptance. Notices are no part of it.
-- uses lanes

-- The highest number in the list, whatever the model's hash, which counts them, says.
local function last_listed(model)
  local last = redis.pcall('ZREVRANGE', list_of(model), 0, 0, 'WITHSCORES')
  return tonumber(last[2]) or 0
end

-- The next number in the list as the hash counts them, unless that is new or was lost.
local function next_listed(model)
  local number = redis.pcall('HINCRBY', model.hash, 'listed', 1)
  if type(number) == 'number' and number > 1 then return number end
  number = last_listed(model) + 1
  redis.call('HSET', model.hash, 'listed', number)
  return number
end

local function enlist(model, lane, prediction_id, number)
  if lane ~= 'webhooks' then redis.pcall('ZADD', list_of(model), 'NX', number, prediction_id) end
end
