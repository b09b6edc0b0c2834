-- End what is queued past its deadline, so many at once; 1 when there may be more, else 0.
-- uses lease, stopping
local function expire_due(model)
  local due = redis.pcall('ZRANGEBYSCORE', deadlines_of(model), '-inf', now_ms(), 'LIMIT', 0, 500)
  for _, prediction_id in ipairs(due) do
    local found = read_record(record_of(model, prediction_id))
    local waits = found and not found.status and not leased(model, found)
    -- One that runs expires when it is given back.
    if not (waits and finish_if_over(model, prediction_id, found)) then
      redis.call('ZREM', deadlines_of(model), prediction_id)
    end
  end
  return #due == 500 and 1 or 0
end
