-- How many entries of the stream are not leased, and how many are.
local function counts(stream)
  local running = (pending(stream) or {0})[1]
  return redis.call('XLEN', stream) - running, running
end

-- Move what was delayed until now to what is queued again; whether there was any.
local function put_back_due(returned, delayed)
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now_ms(), 'LIMIT', 0, 1000)
  for _, seq in ipairs(due) do
    redis.call('ZREM', delayed, seq)
    if is_number(seq) then redis.call('ZADD', returned, seq, seq) end
  end
  return #due > 0
end
