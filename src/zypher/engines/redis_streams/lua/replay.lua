-- Queue a dead letter again, behind all others of its lane: {'replayed'}, {'unknown'}, {'full', waiting} or {'heavy'}.
-- KEYS: 1 base
-- ARGV: prediction_id, limit, most_bytes, options ('' for the usual ones)
-- uses joining
local model = model_of(KEYS[1])
local prediction_id, limit, most_bytes, options = unpack(ARGV)
local record = record_of(model, prediction_id)

local found = read_record(record)
if not found then return {'unknown'} end
local submitted_at, input, key = unpack(redis.call('HMGET', record, 'at', 'input', 'key'))
if not input or not redis.call('ZSCORE', model.base .. ':dead', prediction_id) then return {'unknown'} end
local load = load_of(model)
local refused = make_room(model, load, {[found.lane] = 1}, #input, #input, limit, most_bytes)
if refused then return refused end
local entry = {'p', prediction_id, 't', submitted_at, 'i', input, key and 'k', key}
local lane = lane_of(model, found.lane)
local seq = join(model, load, lane, unpack(entry, 1, key and 8 or 6))
redis.call('ZREM', model.base .. ':dead', prediction_id)
redis.call('HDEL', record, 'status', 'finished', 'run_s', 'kind', 'failure', 'input', 'mark', 'started', 'attempt',
  'unbegun', 'deadline', 'options')
redis.call('HSET', record, 'seq', seq, 'durable', '1', 'bytes', #input)
if options ~= '' then redis.call('HSET', record, 'options', options) end
redis.call('PERSIST', record)
redis.call('PERSIST', events_of(model, prediction_id))
if key then redis.call('PERSIST', model.base .. ':k:' .. key) end
list(model, load, lane, prediction_id)
return {'replayed'}
