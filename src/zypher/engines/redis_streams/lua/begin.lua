-- Count the attempts of deliveries that have begun, as far as they are still their holder's.
-- KEYS: 1 base
-- ARGV: for each its prediction_id, its receipt and its attempt
-- uses lease
local model = model_of(KEYS[1])
for index = 1, #ARGV, 3 do
  local record = record_of(model, ARGV[index])
  if held(model, read_record(record), ARGV[index + 1]) then
    redis.call('HSET', record, 'attempt', ARGV[index + 2], 'unbegun', 0)
  end
end
return 1
