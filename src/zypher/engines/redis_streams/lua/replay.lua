-- Queue a dead letter again, behind all others: {'replayed'}, {'unknown'}, {'full', waiting} or {'heavy'}.
-- KEYS: 1 stream, 2 model, 3 delayed, 4 dead, 5 the prediction's record
-- ARGV: base, prediction_id, limit, most_bytes
-- uses time, reading, pending, queue, joining
local stream, model, delayed, dead, record = unpack(KEYS)
local base, prediction_id, limit, most_bytes = unpack(ARGV)

if not read_record(record) then return {'unknown'} end
local submitted_at, input, key = unpack(redis.call('HMGET', record, 'at', 'input', 'key'))
if not input or not redis.call('ZSCORE', dead, prediction_id) then return {'unknown'} end
local waiting, seq, heavy = join(stream, model, delayed, base, limit, most_bytes, prediction_id, submitted_at, input)
if not seq then return heavy and {'heavy'} or {'full', waiting} end
redis.call('ZREM', dead, prediction_id)
redis.call('HDEL', record, 'status', 'finished', 'run_s', 'kind', 'failure', 'input', 'mark', 'started', 'attempt', 'unbegun')
redis.call('HSET', record, 'seq', seq, 'durable', '1')
redis.call('PERSIST', record)
if key then redis.call('PERSIST', base .. ':k:' .. key) end
return {'replayed'}
