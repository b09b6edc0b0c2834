-- The dead letters that died first: {prediction_id, the fields of its record, ...}.
-- KEYS: 1 base
-- ARGV: limit, then the names of the fields
-- uses reading
local model, letters = model_of(KEYS[1]), {}
local dead = model.base .. ':dead'
for _, prediction_id in ipairs(redis.call('ZRANGE', dead, 0, ARGV[1] - 1)) do
  local record = record_of(model, prediction_id)
  if read_record(record) then
    letters[#letters + 1] = prediction_id
    letters[#letters + 1] = redis.call('HMGET', record, unpack(ARGV, 2))
  else
    redis.call('ZREM', dead, prediction_id)
  end
end
return letters
