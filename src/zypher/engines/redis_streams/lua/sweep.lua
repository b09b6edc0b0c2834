-- Queue again what lost its lease and what was delayed until now; returns how many are ready.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed
-- ARGV: base, pause_ms (does nothing so soon after another sweep; 0: always sweeps)
-- uses time, queue, lease, returning
local stream, model, returned, delayed = unpack(KEYS)
local base, pause_ms = unpack(ARGV)

-- Begin all leases of a length anew: Redis was away, so none could be extended.
local function renew(consumer)
  local last = '-'
  repeat
    local page = redis.call('XPENDING', stream, 'workers', last, '+', 1000, consumer)
    for _, lease in ipairs(page) do
      redis.call('XCLAIM', stream, 'workers', consumer, 0, lease[1], 'JUSTID')
      last = '(' .. lease[1]
    end
  until #page < 1000
end

-- End the leases of a length that were not extended; whether there were any.
local function reclaim(consumer)
  local reclaimed = false
  repeat
    local page = redis.call('XPENDING', stream, 'workers', 'IDLE', consumer, '-', '+', 1000, consumer)
    for _, lease in ipairs(page) do
      give_back(stream, returned, delayed, record_of(stream, base, lease[1]), string.match(lease[1], '%d+'), 0)
      reclaimed = true
    end
  until #page == 0
  return reclaimed
end

if redis.call('EXISTS', stream) == 0 then return 0 end
local unswept = unswept_ms(model)
if unswept < 0 or unswept >= tonumber(pause_ms) then
  redis.call('HSET', model, 'swept_at', now_ms())
  local queued_again = put_back_due(returned, delayed)
  for _, consumer in ipairs(redis.call('XPENDING', stream, 'workers')[4] or {}) do
    if unswept > away_ms(tonumber(consumer[1])) then
      renew(consumer[1])
    else
      queued_again = reclaim(consumer[1]) or queued_again
    end
  end
  if queued_again then redis.call('PUBLISH', base .. ':work', '') end
end
return (counts(stream)) - redis.call('ZCARD', delayed)
