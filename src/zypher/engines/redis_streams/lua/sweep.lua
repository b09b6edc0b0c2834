-- Queue again what lost its lease and what was delayed until now; returns how many are ready.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed
-- ARGV: base, lease_ms, away_ms, pause_ms (0: however short ago another swept)
-- uses time, queue
local stream, model, returned, delayed = unpack(KEYS)
local base, lease_ms, away_ms, pause_ms = unpack(ARGV)

local function renew()
  local last = '-'
  while true do
    local pending = redis.call('XPENDING', stream, 'workers', last, '+', 1000)
    for _, entry in ipairs(pending) do
      redis.call('XCLAIM', stream, 'workers', 'workers', 0, entry[1], 'JUSTID')
      last = '(' .. entry[1]
    end
    if #pending < 1000 then return end
  end
end

local function reclaim()
  local cursor, reclaimed = '0-0', false
  repeat
    local claimed = redis.call('XAUTOCLAIM', stream, 'workers', 'workers', lease_ms, cursor, 'COUNT', 1000, 'JUSTID')
    cursor = claimed[1]
    for _, entry in ipairs(claimed[2]) do
      local seq = string.match(entry, '%d+')
      local record = base .. ':p:' .. redis.call('XRANGE', stream, entry, entry)[1][2][2]
      redis.call('XACK', stream, 'workers', entry)
      redis.call('HDEL', record, 'receipt', 'started')
      redis.call('ZADD', returned, seq, seq)
      reclaimed = true
    end
  until cursor == '0-0'
  return reclaimed
end

if redis.call('EXISTS', stream) == 0 then return 0 end
local now = now_ms()
local swept_at = tonumber(redis.call('HGET', model, 'swept_at') or now)
if now == swept_at or now - swept_at >= tonumber(pause_ms) then
  redis.call('HSET', model, 'swept_at', now)
  local reclaimed = false
  if now - swept_at > tonumber(away_ms) then renew() else reclaimed = reclaim() end
  if put_back_due(returned, delayed) or reclaimed then redis.call('PUBLISH', base .. ':work', '') end
end
return (counts(stream)) - redis.call('ZCARD', delayed)
