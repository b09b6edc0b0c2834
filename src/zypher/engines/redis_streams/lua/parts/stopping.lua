-- Ends what is not to run any more.
-- uses time
-- End a prediction that is not leased if it was cancelled or its deadline is over; whether it is so.
local function finish_if_over(model, prediction_id, found)
  if not found.stop and not found.deadline then return false end
  local status = found.stop and 'cancelled' or found.deadline <= now_ms() and 'expired'
  if not status then return false end
  -- uses ending
  local lane = lane_of(model, found.lane)
  redis.call('ZREM', returned_of(lane), found.seq)
  redis.call('ZREM', delayed_of(lane), found.seq)
  finish(model, prediction_id, found, status, now_us())
  return true
end
