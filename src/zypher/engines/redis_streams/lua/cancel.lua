-- End a queued prediction as cancelled: 1, or 0 when it is not queued.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed, 5 the prediction's record
-- ARGV: base, channels, prediction_id, finished_at, retention_ms, brief_ms
-- uses time, reading, pending, lease, ending
local stream, model, returned, delayed, record = unpack(KEYS)
local base, channels, prediction_id, finished_at, retention_ms, brief_ms = unpack(ARGV)

local found = read_record(record)
if not found or found.status then return 0 end
if found.receipt and leased(stream, model, found.seq .. '-0') then return 0 end
redis.call('ZREM', returned, found.seq)
redis.call('ZREM', delayed, found.seq)
redis.call('HDEL', record, 'started')
finish(stream, model, base, channels, prediction_id, retention_ms, brief_ms,
  {'status', 'cancelled', 'finished', finished_at})
return 1
