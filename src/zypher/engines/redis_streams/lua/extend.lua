-- Begin leases anew: for each 1, 2 when its prediction is to be stopped, or 0 when it was lost.
-- KEYS: 1 base
-- ARGV: lease_ms, then for each its prediction_id and its receipt
-- uses lease
local model, lease_ms, answer = model_of(KEYS[1]), ARGV[1], {}
for index = 2, #ARGV, 2 do
  local found = read_record(record_of(model, ARGV[index]))
  if held(model, found, ARGV[index + 1]) then
    redis.call('XCLAIM', lane_of(model, found.lane).stream, 'workers', lease_ms, 0, found.seq .. '-0', 'JUSTID')
    answer[#answer + 1] = found.stop and 2 or 1
  else
    answer[#answer + 1] = 0
  end
end
return answer
