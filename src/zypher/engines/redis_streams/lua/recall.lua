-- Queue again what was leased under a receipt that no receiver got; nothing was handed out. Returns how many.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, receipt, lease_ms, then the lanes
-- uses pending, reading, publishing, returning
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local receipt, lease_ms = ARGV[4], ARGV[5]

local function recall(lane)
  local recalled, last = 0, '-'
  repeat
    local page = pending(lane.stream, last, '+', 1000, lease_ms) or {}
    for _, lease in ipairs(page) do
      last = '(' .. lease[1]
      local entry = redis.call('XRANGE', lane.stream, lease[1], lease[1])[1] or {}
      local prediction_id = (entry[2] or {})[2] or ''
      local found = read_record(record_of(model, prediction_id))
      if found and found.receipt == receipt then
        redis.call('HINCRBY', record_of(model, prediction_id), 'unbegun', -1)
        give_back(model, prediction_id, found, 0)
        recalled = recalled + 1
      end
    end
  until #page < 1000
  if recalled > 0 then publish_ready(model, lane.name) end
  return recalled
end

local recalled = 0
for index = 6, #ARGV do
  local lane = lane_of(model, ARGV[index])
  if redis.call('XLEN', lane.stream) > 0 then recalled = recalled + recall(lane) end
end
return recalled
