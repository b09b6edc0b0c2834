-- Queue again what lost its lease, what was delayed until now and what lost its place; end what cannot be read.
-- Returns how many are ready, and what was lost: see parts/losing.lua.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed
-- ARGV: base, channels, retention_ms, pause_ms (does nothing so soon after another sweep; 0: always sweeps)
-- uses time, reading, pending, queue, lease, ending, losing, returning
local stream, model, returned, delayed = unpack(KEYS)
local base, channels, retention_ms, pause_ms = unpack(ARGV)
local queue = {
  stream = stream, model = model, returned = returned, delayed = delayed,
  base = base, channels = channels, retention_ms = retention_ms,
}
local lost = {}

-- Begin all leases of a length anew: Redis was away, so none could be extended.
local function renew(consumer)
  local last = '-'
  repeat
    local page = pending(stream, last, '+', 1000, consumer)
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
    local page = pending(stream, 'IDLE', tonumber(consumer) or 0, '-', '+', 1000, consumer)
    for _, lease in ipairs(page) do
      redis.call('XACK', stream, 'workers', lease[1])
      local entry = redis.call('XRANGE', stream, lease[1], lease[1])[1]
      local found = entry and admit(queue, entry, lost)
      if found then give_back(stream, returned, delayed, base .. ':p:' .. found.id, found.seq, 0) end
      reclaimed = true
    end
  until #page == 0
  return reclaimed
end

-- The number up to which the group has handed out entries.
local function last_delivered()
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    for index = 1, #group, 2 do
      if group[index] == 'last-delivered-id' then return tonumber(string.match(group[index + 1], '%d+')) end
    end
  end
end

-- Read a part of the stream, the next part in the next sweep. What was handed out before and is neither leased nor
-- queued again has lost its place; whether there was any. At most twice a second: depths are read oftener.
local function check()
  local misplaced = false
  local unchecked = now_ms() - number_in(model, 'checked_at')
  if unchecked >= 0 and unchecked < 500 then return false end
  local limit = math.max(1, math.min(250, math.floor(1048576 / math.max(1, number_in(model, 'longest')))))
  local from = number_in(model, 'checked')
  local entries = redis.call('XRANGE', stream, string.format('(%.0f-0', from), '+', 'COUNT', limit)
  local reached = last_delivered()
  for _, entry in ipairs(entries) do
    local found = admit(queue, entry, lost)
    if found and tonumber(found.seq) <= reached and #pending(stream, entry[1], entry[1], 1) == 0
      and not redis.call('ZSCORE', returned, found.seq) and not redis.call('ZSCORE', delayed, found.seq) then
      redis.call('ZADD', returned, found.seq, found.seq)
      misplaced = true
    end
  end
  local next_from = #entries == limit and string.match(entries[limit][1], '%d+') or '0'
  redis.call('HSET', model, 'checked', next_from, 'checked_at', now_ms())
  return misplaced
end

if redis.call('EXISTS', stream) == 0 then return {0, lost} end
local unswept = unswept_ms(model)
if unswept < 0 or unswept >= tonumber(pause_ms) then
  redis.call('HSET', model, 'swept_at', now_ms())
  if not pending(stream) then
    -- Without its group nothing is leased and all is queued.
    redis.call('XGROUP', 'CREATE', stream, 'workers', '0')
    redis.call('DEL', returned, delayed)
  end
  local queued_again = put_back_due(returned, delayed)
  for _, consumer in ipairs(pending(stream)[4] or {}) do
    if tonumber(consumer[1]) and unswept > away_ms(tonumber(consumer[1])) then
      renew(consumer[1])
    else
      queued_again = reclaim(consumer[1]) or queued_again
    end
  end
  queued_again = check() or queued_again
  if queued_again then redis.call('PUBLISH', base .. ':work', '') end
end
return {(counts(stream)) - redis.call('ZCARD', delayed), lost}
