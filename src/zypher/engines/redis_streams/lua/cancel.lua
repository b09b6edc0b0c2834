-- End a queued prediction as cancelled, or ask the worker of one that runs to stop it: 'ended', 'asked', 'late' when it
-- had ended otherwise, 'unknown'.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, prediction_id
-- uses lease, stopping
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local prediction_id = ARGV[4]
local record = record_of(model, prediction_id)

local found = read_record(record)
if not found then return 'unknown' end
if found.status then return found.status == 'cancelled' and 'ended' or 'late' end
if leased(model, found) then
  redis.call('HSET', record, 'stop', '1')
  redis.call('PUBLISH', model.base .. ':stops', prediction_id)
  return 'asked'
end
redis.call('HDEL', record, 'started')
found.stop = '1'
finish_if_over(model, prediction_id, found)
return 'ended'
