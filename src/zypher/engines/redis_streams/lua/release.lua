-- Queue a delivery again: 1, or 0 when the receipt no longer holds it.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed, 5 the prediction's record
-- ARGV: base, receipt, delay_ms, then how many attempts have begun and how often it was handed out since
--       ('' for both: as it is recorded)
-- uses time, reading, pending, lease, returning
local stream, model, returned, delayed, record = unpack(KEYS)
local base, receipt, delay_ms, attempts, unbegun = unpack(ARGV)

local found = read_record(record)
if not found or found.receipt ~= receipt or not leased(stream, model, found.seq .. '-0') then return 0 end
give_back(stream, returned, delayed, record, found.seq, tonumber(delay_ms))
if attempts ~= '' then redis.call('HSET', record, 'attempt', attempts, 'unbegun', unbegun) end
if delay_ms == '0' then redis.call('PUBLISH', base .. ':work', '') end
return 1
