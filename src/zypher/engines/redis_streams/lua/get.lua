-- A prediction as it stands: {} for none, else {'queued' | 'running' | 'ended', position, the fields of its record}.
-- KEYS: 1 stream, 2 model, 3 returned, 4 the prediction's record
-- ARGV: watcher (the process to whose channel its end is published, '' for none), then the names of the fields
-- uses time, lease, queue
local stream, model, returned, record = unpack(KEYS)
local watcher = ARGV[1]

local seq, status, receipt, watchers = unpack(redis.call('HMGET', record, 'seq', 'status', 'receipt', 'watchers'))
if not seq then return {} end
local fields = redis.call('HMGET', record, unpack(ARGV, 2))
if status then return {'ended', 0, fields} end

if watcher ~= '' and not string.find(watchers or '', watcher, 1, true) then
  -- A full Redis refuses this. A watcher also reads the prediction after each of its sweeps.
  redis.pcall('HSET', record, 'watchers', watchers and watchers .. ',' .. watcher or watcher)
end
if receipt and leased(stream, model, seq .. '-0') then return {'running', 0, fields} end

local position = 1
local rank = redis.call('ZRANK', returned, seq)
local reached = tonumber(redis.call('HGET', model, 'reached') or 0)
if rank then
  position = rank + 1
elseif tonumber(seq) > reached then
  position = redis.call('ZCARD', returned) + seq - reached
end
return {'queued', math.max(1, math.min(position, (counts(stream)))), fields}
