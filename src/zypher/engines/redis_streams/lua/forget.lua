-- Forget a model's card: {'forgotten'}, {'unknown'}, or {'used', living workers, predictions that have not ended}.
-- KEYS: 1 stream, 2 alive, 3 card
-- uses time
local stream, alive, card = unpack(KEYS)
local workers = redis.call('ZCOUNT', alive, '(' .. now_ms(), '+inf')
local unfinished = redis.call('XLEN', stream)
if workers + unfinished > 0 then return {'used', workers, unfinished} end
return {redis.call('DEL', card) == 1 and 'forgotten' or 'unknown'}
