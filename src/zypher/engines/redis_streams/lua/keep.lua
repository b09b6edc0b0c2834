-- Make a prediction durable wherever it stands: 1, or 0 when there is none.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, prediction_id, input
-- uses listing, losing, ending, burying
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local prediction_id, input = ARGV[4], ARGV[5]
local record = record_of(model, prediction_id)

local found = read_record(record)
if found == nil then return 0 end
if not found then
  lose_record(model, prediction_id)
elseif found.durable ~= '1' then
  redis.call('HSET', record, 'durable', '1')
  enlist(model, found.lane, prediction_id, next_listed(model))
  if found.status then
    redis.call('PEXPIRE', record, model.retention_ms)
    redis.call('PEXPIRE', events_of(model, prediction_id), model.retention_ms)
    if redis.call('HGET', record, 'kind') == 'worker_lost' then bury(model, prediction_id, input) end
    expire_if_empty(model, lane_of(model, found.lane))
  end
end
return 1
