-- How many entries of a stream are not leased, and how many are.
-- uses time, reading, pending
local function counts(stream)
  local length = redis.call('XLEN', stream)
  if length == 0 then return 0, 0 end
  local running = (pending(stream) or {0})[1]
  return length - running, running
end

-- Move what was delayed until now to what is queued again; whether there was any.
local function put_back_due(lane)
  local due = redis.call('ZRANGEBYSCORE', delayed_of(lane), '-inf', now_ms(), 'LIMIT', 0, 1000)
  for _, seq in ipairs(due) do
    redis.call('ZREM', delayed_of(lane), seq)
    if is_number(seq) then redis.call('ZADD', returned_of(lane), seq, seq) end
  end
  return #due > 0
end
