-- Count the attempts of deliveries that have begun, as far as they are still their holder's.
-- KEYS: 1 stream, 2 model, then the predictions' records
-- ARGV: for each its receipt and its attempt
-- uses time, reading, pending, lease
local stream, model = KEYS[1], KEYS[2]
for index = 3, #KEYS do
  local receipt, attempt = ARGV[2 * index - 5], ARGV[2 * index - 4]
  local record = read_record(KEYS[index])
  if record and record.receipt == receipt and leased(stream, model, record.seq .. '-0') then
    redis.call('HSET', KEYS[index], 'attempt', attempt, 'unbegun', 0)
  end
end
return 1
