-- Reads what may be missing, of another type or changed by hand; none of that is an error of a script.
-- uses lanes

-- Whether a text is a whole number that both Lua and Python can use.
local function is_number(text)
  return type(text) == 'string' and #text <= 17 and string.find(text, '^%d+$') ~= nil
end

-- A field of a hash as a number, 0 when it is none.
local function number_in(hash, field)
  return tonumber((redis.call('HGET', hash, field))) or 0
end

-- The value of a string, '' when it is none.
local function value_of(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value or ''
end

-- The fields of a record that scripts decide by, and its options: nil when there is no record, false when it cannot be
-- read.
local function read_record(record)
  local words = redis.pcall('HMGET', record, 'seq', 'at', 'durable', 'status', 'receipt', 'attempt', 'unbegun', 'lane',
    'deadline', 'stop', 'options')
  if words.err then return false end
  local seq, at, durable, status, receipt, attempt, unbegun, lane, deadline, stop, options = unpack(words)
  if not (seq or at or durable) and redis.call('EXISTS', record) == 0 then return nil end
  local whole = is_number(seq) and is_number(at) and (durable == '0' or durable == '1') and (not lane or SUFFIX[lane])
  if not whole or (attempt and not is_number(attempt)) or (unbegun and not tonumber(unbegun)) then return false end
  return {
    seq = seq, durable = durable, status = status, receipt = receipt, lane = lane or 'normal', stop = stop,
    deadline = deadline and tonumber(deadline), attempt = tonumber(attempt or 0), unbegun = tonumber(unbegun or 0),
    options = options,
  }
end
