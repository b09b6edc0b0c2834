-- Forget a model's card and its pause: {'forgotten'}, {'unknown'} without a card, or {'used', living workers,
-- predictions and notices that have not ended}.
-- KEYS: 1 base
-- uses lanes, time
local model = model_of(KEYS[1])
local workers = redis.call('ZCOUNT', model.base .. ':alive', '(' .. now_ms(), '+inf')
local unfinished = 0
for name in pairs(SUFFIX) do unfinished = unfinished + redis.call('XLEN', lane_of(model, name).stream) end
if workers + unfinished > 0 then return {'used', workers, unfinished} end
redis.call('DEL', model.base .. ':paused')
return {redis.call('DEL', model.base .. ':card') == 1 and 'forgotten' or 'unknown'}
