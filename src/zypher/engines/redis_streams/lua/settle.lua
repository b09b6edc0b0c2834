-- Store the outcome of a delivery: 1, or 0 when the receipt no longer holds it.
-- A settle whose answer was lost is sent again with the same mark, and gets the same answer.
-- KEYS: 1 stream, 2 model, 3 dead, 4 the prediction's record
-- ARGV: base, channels, prediction_id, receipt, mark, finished_at, retention_ms, brief_ms,
--       attempt, status, run_s, output or '', kind or '', failure
-- uses time, lease, ending, burying
local stream, model, dead, record = unpack(KEYS)
local base, channels, prediction_id, receipt, mark, finished_at, retention_ms, brief_ms = unpack(ARGV)
local attempt, status, run_s, output, kind, failure = unpack(ARGV, 9)

local seq, holder, marked, durable = unpack(redis.call('HMGET', record, 'seq', 'receipt', 'mark', 'durable'))
if marked == mark then return 1 end
if holder ~= receipt or not leased(stream, model, seq .. '-0') then return 0 end

local fields = {'status', status, 'finished', finished_at, 'run_s', run_s, 'mark', mark, 'attempt', attempt}
local function set(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if output ~= '' then set('output', output) end
if kind ~= '' then
  set('kind', kind)
  set('failure', failure)
end
if kind == 'worker_lost' and durable == '1' then
  local entry = redis.call('XRANGE', stream, seq .. '-0', seq .. '-0')[1]
  bury(dead, record, prediction_id, entry[2][6], finished_at, retention_ms)
end
finish(stream, model, base, channels, prediction_id, retention_ms, brief_ms, fields)
if tonumber(run_s) > 0 then
  local average = redis.call('HGET', model, 'run_s')
  redis.call('HSET', model, 'run_s', average and string.format('%.9g', 0.9 * average + 0.1 * run_s) or run_s)
end
return 1
