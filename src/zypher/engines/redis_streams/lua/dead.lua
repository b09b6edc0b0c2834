-- The dead letters that died first: {prediction_id, the fields of its record, ...}.
-- KEYS: 1 dead
-- ARGV: base, limit, then the names of the fields
-- uses reading
local letters = {}
for _, prediction_id in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)) do
  local record = ARGV[1] .. ':p:' .. prediction_id
  if read_record(record) then
    letters[#letters + 1] = prediction_id
    letters[#letters + 1] = redis.call('HMGET', record, unpack(ARGV, 3))
  else
    redis.call('ZREM', KEYS[1], prediction_id)
  end
end
return letters
