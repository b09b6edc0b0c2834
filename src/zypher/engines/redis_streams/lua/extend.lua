-- Begin leases anew: for each 1, or 0 when it was lost.
-- KEYS: 1 stream, 2 model, then the predictions' records
-- ARGV: lease_ms, away_ms, then the receipts
-- uses time, lease
local stream, model = KEYS[1], KEYS[2]
local ours, entries = {}, {}
for index = 3, #KEYS do
  local seq, receipt = unpack(redis.call('HMGET', KEYS[index], 'seq', 'receipt'))
  local held = receipt == ARGV[index] and leased(stream, model, seq .. '-0', ARGV[1], ARGV[2])
  ours[#ours + 1] = held and 1 or 0
  if held then entries[#entries + 1] = seq .. '-0' end
end
if #entries > 0 then
  local claim = {'XCLAIM', stream, 'workers', 'workers', 0}
  for _, entry in ipairs(entries) do claim[#claim + 1] = entry end
  claim[#claim + 1] = 'JUSTID'
  redis.call(unpack(claim))
end
return ours
