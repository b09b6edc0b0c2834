-- How many entries the stream holds that nobody leases, and how many are leased.
local function counts(stream)
  local running = redis.call('XPENDING', stream, 'workers')[1]
  return redis.call('XLEN', stream) - running, running
end

-- Put what was delayed until now among what came back; whether there was something.
local function put_back_due(returned, delayed)
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now_ms(), 'LIMIT', 0, 1000)
  for _, seq in ipairs(due) do
    redis.call('ZREM', delayed, seq)
    redis.call('ZADD', returned, seq, seq)
  end
  return #due > 0
end
