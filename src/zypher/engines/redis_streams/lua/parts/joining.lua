-- Append an entry; returns its number, which is above all that the stream ever had: also where the model's hash, which
-- counts them, was lost or an entry was added by hand.
local function append(stream, model, ...)
  local seq = redis.pcall('HINCRBY', model, 'seq', 1)
  local added = type(seq) == 'number' and redis.pcall('XADD', stream, seq .. '-0', ...)
  if type(added) == 'string' then return seq end
  local about = redis.call('XINFO', 'STREAM', stream)
  for index = 1, #about, 2 do
    if about[index] == 'last-generated-id' then seq = string.match(about[index + 1], '%d+') + 1 end
  end
  seq = string.format('%.0f', seq)
  redis.call('HSET', model, 'seq', seq)
  redis.call('XADD', stream, seq .. '-0', ...)
  return seq
end

-- Queue a prediction behind all others, unless `limit` wait already or the inputs of all that have not ended would
-- have more than `most_bytes`. Returns how many wait, its number in the order of acceptance, nil when there is no room,
-- and whether it is the bytes that leave none.
-- What is counted here parts/ending.lua takes away again; an empty stream begins anew, whatever an older version left.
-- A full Redis refuses a script at its first write and no later one, so that must be one that needs memory.
local function join(stream, model, delayed, base, limit, most_bytes, prediction_id, submitted_at, input)
  local empty = redis.call('XLEN', stream) == 0
  local bytes = #input + (empty and 0 or math.max(0, number_in(model, 'bytes')))
  if bytes > tonumber(most_bytes) then return nil, nil, true end
  if empty and redis.call('EXISTS', stream) == 0 then
    redis.call('XGROUP', 'CREATE', stream, 'workers', '0', 'MKSTREAM')
    redis.call('HSET', model, 'swept_at', now_ms())
  end
  local waiting = counts(stream)
  if waiting >= tonumber(limit) then return waiting end
  redis.call('HSET', model, 'bytes', bytes)
  if empty then
    -- The stream of a model without predictions expires.
    redis.call('PERSIST', stream)
    redis.call('PERSIST', model)
    redis.call('HSET', model, 'longest', #input)
  elseif #input > number_in(model, 'longest') then
    redis.call('HSET', model, 'longest', #input)
  end
  redis.call('HSET', base .. ':p:' .. prediction_id, 'bytes', #input)
  local seq = append(stream, model, 'p', prediction_id, 't', submitted_at, 'i', input)
  -- A receiver waits only once it found nothing ready, so only the first that becomes ready is published.
  if waiting == redis.call('ZCARD', delayed) then redis.call('PUBLISH', base .. ':work', '') end
  return waiting, seq
end
