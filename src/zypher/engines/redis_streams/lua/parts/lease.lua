-- The consumer of a delivery is the lease under which it was received, in milliseconds: workers may differ in theirs.

-- After so long without a sweep Redis was away, and no lease of this length could be extended.
local function away_ms(lease_ms)
  return math.max(lease_ms / 2, 3 * math.max(500, math.min(1000, lease_ms / 4)))
end

-- How long ago the last sweep was.
local function unswept_ms(model)
  return now_ms() - (redis.call('HGET', model, 'swept_at') or 0)
end

-- Whether an entry is leased now. A lease does not end while Redis is away.
local function leased(stream, model, entry)
  local pending = redis.call('XPENDING', stream, 'workers', entry, entry, 1)[1]
  if not pending then return false end
  local lease_ms = tonumber(pending[2])
  return pending[3] < lease_ms or unswept_ms(model) > away_ms(lease_ms)
end
