-- The dead letters that died first: {prediction_id, its record, ...}.
-- KEYS: 1 dead
-- ARGV: base, limit
local letters = {}
for _, prediction_id in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)) do
  local fields = redis.call('HGETALL', ARGV[1] .. ':p:' .. prediction_id)
  if #fields == 0 then
    redis.call('ZREM', KEYS[1], prediction_id)
  else
    letters[#letters + 1] = prediction_id
    letters[#letters + 1] = fields
  end
end
return letters
