-- Accept predictions, all or none, each once: {'accepted', then for each its position, or the id of the one that stands
-- for it and may be damaged}, {'full', waiting}, {'heavy'} or {'reused'}.
-- KEYS: 1 base
-- ARGV: limit, most_bytes, then for each prediction_id, submitted_at, input, durable,
--       watcher ('' for none), key digest ('' for none), input digest, options ('' for the usual ones), lane, left_ms
--       (until its deadline, '' for none), notify
-- uses joining
local WORDS = 11
local model = model_of(KEYS[1])
local limit, most_bytes = ARGV[1], ARGV[2]
local ids, keys = {}, {} -- of this call: a prediction's id, and {input digest, id} by the digest of its key

-- The id of the prediction that stands for this one, nil if there is none; and whether its key was used with another
-- input.
local function standing_for(prediction_id, digest, input_digest)
  if ids[prediction_id] then return prediction_id end
  if redis.call('EXISTS', record_of(model, prediction_id)) == 1 then return prediction_id end
  if digest == '' then return nil end
  if keys[digest] then return keys[digest][2], keys[digest][1] ~= input_digest end
  local first = value_of(model.base .. ':k:' .. digest)
  local first_id = string.sub(first, #input_digest + 1)
  if first == '' or redis.call('EXISTS', record_of(model, first_id)) == 0 then return nil end
  return first_id, string.sub(first, 1, #input_digest) ~= input_digest
end

local function accept(load, from)
  local prediction_id, submitted_at, input, durable, watcher, digest, input_digest, options, name, left_ms, notify =
    unpack(ARGV, from, from + WORDS - 1)
  local entry = {'p', prediction_id, 't', submitted_at, 'i', input, 'k', digest}
  local lane = lane_of(model, name)
  local seq = join(model, load, lane, unpack(entry, 1, digest == '' and 6 or 8))
  local fields = {'seq', seq, 'at', submitted_at, 'durable', durable, 'bytes', #input}
  local function set(field, value)
    if value ~= '' then
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    end
  end
  set('watchers', watcher)
  set('key', digest)
  set('options', options)
  if name ~= 'normal' then set('lane', name) end
  set('notify', notify)
  if left_ms ~= '' then
    local deadline = now_ms() + left_ms
    set('deadline', string.format('%.0f', deadline))
    redis.pcall('ZADD', deadlines_of(model), deadline, prediction_id)
  end
  redis.call('HSET', record_of(model, prediction_id), unpack(fields))
  if digest ~= '' then redis.call('SET', model.base .. ':k:' .. digest, input_digest .. prediction_id) end
  if durable == '1' then list(model, load, lane, prediction_id) end
  return waiting_until(load, name)
end

local answer, new, lanes = {'accepted'}, {}, {}
local bytes, longest = 0, 0
for from = 3, #ARGV, WORDS do
  local prediction_id, digest, input_digest, name = ARGV[from], ARGV[from + 5], ARGV[from + 6], ARGV[from + 8]
  local standing, reused = standing_for(prediction_id, digest, input_digest)
  if reused then return {'reused'} end
  answer[#answer + 1] = standing or 0
  if not standing then
    new[#new + 1] = {#answer, from}
    ids[prediction_id] = true
    if digest ~= '' then keys[digest] = {input_digest, prediction_id} end
    lanes[name] = (lanes[name] or 0) + 1
    bytes = bytes + #ARGV[from + 2]
    longest = math.max(longest, #ARGV[from + 2])
  end
end
if #new == 0 then return answer end

local load = load_of(model)
local refused = make_room(model, load, lanes, bytes, longest, limit, most_bytes)
if refused then return refused end
for _, each in ipairs(new) do answer[each[1]] = accept(load, each[2]) end
return answer
