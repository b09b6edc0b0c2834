-- Keep a durable prediction that lost all its replicas as a dead letter, with the input for a replay.
-- uses lanes, time
local function bury(model, prediction_id, input)
  redis.call('HSET', record_of(model, prediction_id), 'input', input)
  redis.call('ZADD', model.base .. ':dead', now_us(), prediction_id)
  redis.call('PEXPIRE', model.base .. ':dead', model.retention_ms)
end
