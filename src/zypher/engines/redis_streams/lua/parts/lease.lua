-- The consumer of a delivery is the lease under which it was received, in milliseconds: workers may differ in theirs.
-- uses time, reading, pending

-- After so long without a sweep Redis was away, and no lease of this length could be extended.
local function away_ms(lease_ms)
  return math.max(lease_ms / 2, 3 * math.max(500, math.min(1000, lease_ms / 4)))
end

-- How long ago the last sweep was.
local function unswept_ms(model)
  return now_ms() - number_in(model.hash, 'swept_at')
end

-- Whether the prediction of a record is leased now. A lease does not end while Redis is away.
local function leased(model, found)
  if not found.receipt then return false end
  local entry = found.seq .. '-0'
  local lease = (pending(lane_of(model, found.lane).stream, entry, entry, 1) or {})[1]
  local lease_ms = lease and tonumber(lease[2])
  if not lease_ms then return false end
  return lease[3] < lease_ms or unswept_ms(model) > away_ms(lease_ms)
end

-- Whether a receipt still holds the prediction of a record.
local function held(model, found, receipt)
  return found and found.receipt == receipt and leased(model, found)
end
