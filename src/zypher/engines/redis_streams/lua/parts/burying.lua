-- Keep a durable prediction that lost all its replicas as a dead letter, with the input for a replay.
-- uses lanes
local function bury(model, prediction_id, input, finished_at)
  redis.call('HSET', record_of(model, prediction_id), 'input', input)
  redis.call('ZADD', model.base .. ':dead', finished_at, prediction_id)
  redis.call('PEXPIRE', model.base .. ':dead', model.retention_ms)
end
