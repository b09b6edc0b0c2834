-- Queue again what was leased under a receipt that no receiver got; nothing was handed out. Returns how many.
-- KEYS: 1 stream, 2 model, 3 returned, 4 delayed
-- ARGV: base, receipt, lease_ms
-- uses time, reading, pending, returning
local stream, model, returned, delayed = unpack(KEYS)
local base, receipt, lease_ms = unpack(ARGV)
if redis.call('EXISTS', stream) == 0 then return 0 end

local recalled, last = 0, '-'
repeat
  local page = pending(stream, last, '+', 1000, lease_ms) or {}
  for _, lease in ipairs(page) do
    last = '(' .. lease[1]
    local entry = redis.call('XRANGE', stream, lease[1], lease[1])[1] or {}
    local record = base .. ':p:' .. ((entry[2] or {})[2] or '')
    local found = read_record(record)
    if found and found.receipt == receipt then
      give_back(stream, returned, delayed, record, string.match(lease[1], '%d+'), 0)
      redis.call('HINCRBY', record, 'unbegun', -1)
      recalled = recalled + 1
    end
  end
until #page < 1000
if recalled > 0 then redis.call('PUBLISH', base .. ':work', '') end
return recalled
