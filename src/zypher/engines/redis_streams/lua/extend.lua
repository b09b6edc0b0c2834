-- Begin leases anew: for each 1, or 0 when it was lost.
-- KEYS: 1 stream, 2 model, then the predictions' records
-- ARGV: lease_ms, then the receipts
-- uses time, lease
local stream, model, lease_ms = KEYS[1], KEYS[2], ARGV[1]
local ours = {}
for index = 3, #KEYS do
  local seq, receipt = unpack(redis.call('HMGET', KEYS[index], 'seq', 'receipt'))
  local held = receipt == ARGV[index - 1] and leased(stream, model, seq .. '-0')
  if held then redis.call('XCLAIM', stream, 'workers', lease_ms, 0, seq .. '-0', 'JUSTID') end
  ours[#ours + 1] = held and 1 or 0
end
return ours
