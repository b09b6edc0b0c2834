-- The events of one prediction: a stream whose entries have their numbers, and not more than `most_bytes`. An event has
-- the bytes of its content and `event_bytes`; the newest one stays however large it is.

-- Forget the oldest until there is room for the newest of those that are to be added, kind and content from `first` on
-- in ARGV. Returns where those begin that fit.
local function make_room_for(log, first)
  local bytes, from = 0, #ARGV + 1
  for index = #ARGV - 1, first, -2 do
    local more = #ARGV[index + 1] + log.event_bytes
    if bytes > 0 and bytes + more > log.most_bytes then break end
    bytes, from = bytes + more, index
  end
  while log.bytes > 0 and (log.bytes + bytes > log.most_bytes or from > first) do
    local oldest = redis.pcall('XRANGE', log.key, '-', '+', 'COUNT', 16)
    if not oldest[1] then log.bytes = 0 end
    for _, entry in ipairs(oldest) do
      if log.bytes + bytes <= log.most_bytes and from == first then break end
      log.bytes = math.max(0, log.bytes - #(entry[2][6] or '') - log.event_bytes)
      redis.call('XDEL', log.key, entry[1])
    end
  end
  return from
end

-- What is of another type, or has higher numbers, is not ours.
local function add_event(log, number, kind, attempt, content)
  local words = {string.format('%.0f-0', number), 'k', kind, 'a', attempt, 'c', content}
  if type(redis.pcall('XADD', log.key, unpack(words))) ~= 'string' then
    redis.call('DEL', log.key)
    redis.call('XADD', log.key, unpack(words))
  end
  log.bytes = log.bytes + #content + log.event_bytes
end
