-- End a lease: the prediction is queued again in its old place, at the earliest in `delay_ms`.
local function give_back(stream, returned, delayed, record, seq, delay_ms)
  redis.call('XACK', stream, 'workers', seq .. '-0')
  redis.call('HDEL', record, 'receipt', 'started')
  if delay_ms > 0 then
    redis.call('ZADD', delayed, now_ms() + delay_ms, seq)
  else
    redis.call('ZADD', returned, seq, seq)
  end
end
