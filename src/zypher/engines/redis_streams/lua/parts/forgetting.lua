-- Takes out of the list of a model what expired, and ends what is listed and lost its entry: nothing else would.
-- uses losing
local PART, MOST_PARTS = 20, 100

-- Whether a listed prediction is gone.
local function is_gone(model, prediction_id, lost)
  local found = read_record(record_of(model, prediction_id))
  if found == nil then return true end
  if found == false then
    lose_record(model, prediction_id)
  elseif not lose_if_missing(model, prediction_id, found) then
    return false
  end
  lost[#lost + 1] = prediction_id
  return false
end

-- From a number on, part by part, as long as most of a part is gone. Returns the number to go on from.
local function forget_from(model, from, lost)
  for _ = 1, MOST_PARTS do
    local part = redis.call('ZRANGEBYSCORE', list_of(model), '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, PART)
    local gone = {}
    for index = 1, #part, 2 do
      if is_gone(model, part[index], lost) then gone[#gone + 1] = part[index] end
    end
    if #gone > 0 then redis.call('ZREM', list_of(model), unpack(gone)) end
    if #part < 2 * PART then return '0' end
    from = part[#part]
    if #gone < PART / 2 then return from end
  end
  return from
end

-- The oldest, and a part of the others, the next part in the next sweep: one that waits for long may be older than what
-- expired.
local function forget_listed(model, lost)
  if redis.call('TYPE', list_of(model)).ok ~= 'zset' then return end
  forget_from(model, '0', lost)
  local from = string.format('%.0f', number_in(model.hash, 'looked_at'))
  redis.call('HSET', model.hash, 'looked_at', forget_from(model, from, lost))
end
