-- A model's queue, without notices: {queued, running, delayed, dead, submitted_at of the oldest or '', run_s or '',
-- bytes of the inputs that have not ended, 1 if paused or 0, card or '', presences}.
-- KEYS: 1 base
-- uses priorities, queue
local model = model_of(KEYS[1])
local queued, running, delayed, oldest = 0, 0, 0, nil

for _, name in ipairs(PRIORITIES) do
  local lane = lane_of(model, name)
  local waiting, leased = counts(lane.stream)
  queued, running = queued + waiting, running + leased
  if waiting > 0 then
    delayed = delayed + redis.call('ZCARD', delayed_of(lane))
    local first = redis.call('ZRANGE', returned_of(lane), 0, 0)[1]
    local from = is_number(first) and first or string.format('%.0f', number_in(model.hash, 'reached' .. lane.suffix) + 1)
    local entry = redis.call('XRANGE', lane.stream, from .. '-0', '+', 'COUNT', 1)[1]
    local at = entry and is_number(entry[2][4]) and entry[2][4]
    if at and (not oldest or tonumber(at) < tonumber(oldest)) then oldest = at end
  end
end

local dead = model.base .. ':dead'
local buried = redis.call('ZRANGE', dead, 0, 0)[1]
while buried and redis.call('EXISTS', record_of(model, buried)) == 0 do
  redis.call('ZREM', dead, buried)
  buried = redis.call('ZRANGE', dead, 0, 0)[1]
end

local run_s, bytes = unpack(redis.call('HMGET', model.hash, 'run_s', 'bytes'))
local input_bytes = queued + running > 0 and math.max(0, tonumber(bytes) or 0) or 0
local presences = {}
for _, worker_id in ipairs(redis.call('ZRANGEBYSCORE', model.base .. ':alive', '(' .. now_ms(), '+inf')) do
  presences[#presences + 1] = redis.call('HGET', model.base .. ':workers', worker_id) or nil
end
return {
  queued, running, delayed, redis.call('ZCARD', dead), oldest or '', tonumber(run_s) and run_s or '', input_bytes,
  redis.call('EXISTS', model.base .. ':paused'), value_of(model.base .. ':card'), presences,
}
