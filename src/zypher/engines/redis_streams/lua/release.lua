-- Give a delivery back: 1, or 0 when it is no longer its holder's.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed, 5 the prediction's record
-- ARGV: base, receipt, counted, delay_ms, lease_ms, away_ms
-- uses time, lease
local stream, model, returned, delayed, record = unpack(KEYS)
local base, receipt, counted, delay_ms, lease_ms, away_ms = unpack(ARGV)

local seq, holder = unpack(redis.call('HMGET', record, 'seq', 'receipt'))
if holder ~= receipt or not leased(stream, model, seq .. '-0', lease_ms, away_ms) then return 0 end
redis.call('XACK', stream, 'workers', seq .. '-0')
redis.call('HDEL', record, 'receipt', 'started')
if counted == '0' then redis.call('HINCRBY', record, 'attempt', -1) end
if tonumber(delay_ms) > 0 then
  redis.call('ZADD', delayed, now_ms() + delay_ms, seq)
else
  redis.call('ZADD', returned, seq, seq)
  redis.call('PUBLISH', base .. ':work', '')
end
return 1
