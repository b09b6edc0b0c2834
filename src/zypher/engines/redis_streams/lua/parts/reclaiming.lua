-- Ends or renews the leases of a lane. Their length is their consumer.
-- uses lease, losing, returning

-- Begin all leases of a length anew: Redis was away, so none could be extended.
local function renew(lane, consumer)
  local last = '-'
  repeat
    local page = pending(lane.stream, last, '+', 1000, consumer)
    for _, lease in ipairs(page) do
      redis.call('XCLAIM', lane.stream, 'workers', consumer, 0, lease[1], 'JUSTID')
      last = '(' .. lease[1]
    end
  until #page < 1000
end

-- End the leases of a length that were not extended; whether there were any.
local function reclaim(model, lane, consumer, lost)
  local reclaimed = false
  repeat
    local page = pending(lane.stream, 'IDLE', tonumber(consumer) or 0, '-', '+', 1000, consumer)
    for _, lease in ipairs(page) do
      redis.call('XACK', lane.stream, 'workers', lease[1])
      local entry = redis.call('XRANGE', lane.stream, lease[1], lease[1])[1]
      local found = entry and admit(model, lane, entry, lost)
      if found then give_back(model, found.id, found.record, 0) end
      reclaimed = true
    end
  until #page == 0
  return reclaimed
end

-- Renew or end all leases of a lane, `unswept` milliseconds after the last sweep; whether any ended.
local function reclaim_all(model, lane, unswept, lost)
  local reclaimed = false
  for _, consumer in ipairs(pending(lane.stream)[4] or {}) do
    if tonumber(consumer[1]) and unswept > away_ms(tonumber(consumer[1])) then
      renew(lane, consumer[1])
    else
      reclaimed = reclaim(model, lane, consumer[1], lost) or reclaimed
    end
  end
  return reclaimed
end
