-- End a lease: the prediction is queued again in its old place, at the earliest in `delay_ms`, or ends if it is not to
-- run any more. Whether it is queued.
-- uses stopping
local function give_back(model, prediction_id, found, delay_ms)
  local lane = lane_of(model, found.lane)
  if finish_if_over(model, prediction_id, found) then return false end
  redis.call('XACK', lane.stream, 'workers', found.seq .. '-0')
  redis.call('HDEL', record_of(model, prediction_id), 'receipt', 'started')
  if delay_ms > 0 then
    redis.call('ZADD', delayed_of(lane), now_ms() + delay_ms, found.seq)
  else
    redis.call('ZADD', returned_of(lane), found.seq, found.seq)
  end
  return true
end
