-- Durable predictions, those that were accepted last first: {where the next part begins or '', then for each
-- prediction_id, 'queued' | 'running' | 'ended', the fields of its record}.
-- Looks at so many at most. One whose record expired is taken out, and one that cannot be read is left out.
-- KEYS: 1 base
-- ARGV: after ('+inf' for the first part), limit, most (to look at), status ('' for any), then the names of the fields
-- uses lease
local model = model_of(KEYS[1])
local after, limit, most, wanted = unpack(ARGV, 1, 4)
local answer = {''}

local function state_of(found)
  if found.status then return 'ended', found.status end
  local state = leased(model, found) and 'running' or 'queued'
  return state, state
end

local listed = redis.call('ZREVRANGEBYSCORE', list_of(model), after, '-inf', 'WITHSCORES', 'LIMIT', 0, most)
for index = 1, #listed, 2 do
  local prediction_id = listed[index]
  local record = record_of(model, prediction_id)
  local found = read_record(record)
  if found then
    local state, status = state_of(found)
    if wanted == '' or wanted == status then
      for _, part in ipairs({prediction_id, state, redis.call('HMGET', record, unpack(ARGV, 5))}) do
        answer[#answer + 1] = part
      end
    end
  elseif found == nil then
    redis.call('ZREM', list_of(model), prediction_id)
  end
  if #answer > 3 * limit then
    answer[1] = listed[index + 1]
    break
  end
end
if answer[1] == '' and #listed == 2 * most then answer[1] = listed[#listed] end
return answer
