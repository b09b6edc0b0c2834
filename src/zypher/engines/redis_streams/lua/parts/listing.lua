-- The list of a model's durable predictions, each with a number in the order of acceptance. Notices are no part of it.
-- uses lanes
local function enlist(model, lane, prediction_id)
  if lane == 'webhooks' then return end
  local number = redis.pcall('HINCRBY', model.hash, 'listed', 1)
  if number == 1 or type(number) ~= 'number' then
    -- The hash, which counts them, is new or was lost.
    local last = redis.pcall('ZREVRANGE', list_of(model), 0, 0, 'WITHSCORES')
    number = (tonumber(last[2]) or 0) + 1
    redis.call('HSET', model.hash, 'listed', string.format('%.0f', number))
  end
  redis.pcall('ZADD', list_of(model), 'NX', number, prediction_id)
end
