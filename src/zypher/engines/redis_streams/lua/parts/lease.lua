-- The consumer of a delivery is the lease under which it was received, in milliseconds: workers may differ in theirs.

-- After so long without a sweep Redis was away, and no lease of this length could be extended.
local function away_ms(lease_ms)
  return math.max(lease_ms / 2, 3 * math.max(500, math.min(1000, lease_ms / 4)))
end

-- How long ago the last sweep was.
local function unswept_ms(model)
  return now_ms() - number_in(model, 'swept_at')
end

-- Whether an entry is leased now. A lease does not end while Redis is away.
local function leased(stream, model, entry)
  local lease = (pending(stream, entry, entry, 1) or {})[1]
  local lease_ms = lease and tonumber(lease[2])
  if not lease_ms then return false end
  return lease[3] < lease_ms or unswept_ms(model) > away_ms(lease_ms)
end
