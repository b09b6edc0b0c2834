-- A model's queue: {queued, running, delayed, dead, submitted_at of the oldest or '', run_s or '', card or '',
-- presences}.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed, 5 dead, 6 workers, 7 alive, 8 card
-- ARGV: base
-- uses time, reading, pending, queue
local stream, model, returned, delayed, dead, workers, alive, card = unpack(KEYS)
local queued, running, oldest = 0, 0, ''

if redis.call('EXISTS', stream) == 1 then
  queued, running = counts(stream)
  local first = redis.call('ZRANGE', returned, 0, 0)[1]
  local from = is_number(first) and first or string.format('%.0f', number_in(model, 'reached') + 1)
  local entry = redis.call('XRANGE', stream, from .. '-0', '+', 'COUNT', 1)[1]
  if entry and is_number(entry[2][4]) then oldest = entry[2][4] end
end

local buried = redis.call('ZRANGE', dead, 0, 0)[1]
while buried and redis.call('EXISTS', ARGV[1] .. ':p:' .. buried) == 0 do
  redis.call('ZREM', dead, buried)
  buried = redis.call('ZRANGE', dead, 0, 0)[1]
end

local run_s = redis.call('HGET', model, 'run_s')
local presences = {}
for _, worker_id in ipairs(redis.call('ZRANGEBYSCORE', alive, '(' .. now_ms(), '+inf')) do
  presences[#presences + 1] = redis.call('HGET', workers, worker_id) or nil
end
return {
  queued, running, redis.call('ZCARD', delayed), redis.call('ZCARD', dead),
  oldest, tonumber(run_s) and run_s or '', value_of(card), presences,
}
