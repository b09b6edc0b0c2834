-- Whether an entry is leased now. A lease does not end while nobody looks after leases, as when the
-- server was away: then none could be extended either.
local function leased(stream, model, entry, lease_ms, away_ms)
  local pending = redis.call('XPENDING', stream, 'workers', entry, entry, 1)[1]
  if not pending then return false end
  if pending[3] < tonumber(lease_ms) then return true end
  local swept_at = redis.call('HGET', model, 'swept_at')
  return not swept_at or now_ms() - swept_at > tonumber(away_ms)
end
