-- Begin leases anew: for each 1, or 0 when it was lost.
-- KEYS: 1 stream, 2 model, then the predictions' records
-- ARGV: lease_ms, then the receipts
-- uses time, reading, pending, lease
local stream, model, lease_ms = KEYS[1], KEYS[2], ARGV[1]
local ours = {}
for index = 3, #KEYS do
  local record = read_record(KEYS[index])
  local entry = record and record.seq .. '-0'
  local held = record and record.receipt == ARGV[index - 1] and leased(stream, model, entry)
  if held then redis.call('XCLAIM', stream, 'workers', lease_ms, 0, entry, 'JUSTID') end
  ours[#ours + 1] = held and 1 or 0
end
return ours
