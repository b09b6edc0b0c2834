-- Keep a durable prediction that lost all its replicas as a dead letter, with the input for a replay.
local function bury(dead, record, prediction_id, input, finished_at, retention_ms)
  redis.call('HSET', record, 'input', input)
  redis.call('ZADD', dead, finished_at, prediction_id)
  redis.call('PEXPIRE', dead, retention_ms)
end
