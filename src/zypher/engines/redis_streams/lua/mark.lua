-- Note that what Redis keeps was seen now, and whether it is older than what a process saw before.
-- Returns this instant, that of the last loss and that of what was left then; both 0 a while after a loss.
-- KEYS: 1 prefix
-- ARGV: format, seen_at (what this process got the last time, 0 before), reported_ms (how long a loss is reported)
-- uses time
local prefix, format, seen_at, reported_ms = KEYS[1], unpack(ARGV)

local function instant(field)
  return tonumber(redis.call('HGET', prefix, field) or 0) or 0
end

local now, found_at = now_ms(), instant('seen_at')
redis.call('HSETNX', prefix, 'format', format)
if found_at < tonumber(seen_at) then redis.call('HSET', prefix, 'lost_at', now, 'left_at', found_at) end
-- It never goes back, whatever the date is set to: that would be a loss.
local newest_at = math.max(now, found_at, tonumber(seen_at))
redis.call('HSET', prefix, 'seen_at', newest_at)
local lost_at = instant('lost_at')
if now - lost_at >= tonumber(reported_ms) then return {newest_at, 0, 0} end
return {newest_at, lost_at, instant('left_at')}
