-- Queue a delivery again: 1, or 0 when the receipt no longer holds it.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed, 5 the prediction's record
-- ARGV: base, receipt, counted, delay_ms
-- uses time, lease, returning
local stream, model, returned, delayed, record = unpack(KEYS)
local base, receipt, counted, delay_ms = unpack(ARGV)

local seq, holder = unpack(redis.call('HMGET', record, 'seq', 'receipt'))
if holder ~= receipt or not leased(stream, model, seq .. '-0') then return 0 end
give_back(stream, returned, delayed, record, seq, tonumber(delay_ms))
if counted == '0' then redis.call('HINCRBY', record, 'attempt', -1) end
if delay_ms == '0' then redis.call('PUBLISH', base .. ':work', '') end
return 1
