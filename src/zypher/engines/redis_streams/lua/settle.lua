-- Store the outcome of a delivery: 1, or 0 when the receipt no longer holds it.
-- A settle whose answer was lost is sent again with the same mark, and gets the same answer.
-- KEYS: 1 stream, 2 model, 3 dead, 4 the prediction's record
-- ARGV: base, channels, prediction_id, receipt, mark, finished_at, retention_ms, brief_ms,
--       attempt, status, run_s, output or '', kind or '', failure
-- uses time, reading, pending, lease, ending, burying
local stream, model, dead, record = unpack(KEYS)
local base, channels, prediction_id, receipt, mark, finished_at, retention_ms, brief_ms = unpack(ARGV)
local attempt, status, run_s, output, kind, failure = unpack(ARGV, 9)

local found = read_record(record)
if not found then return 0 end
local entry = found.seq .. '-0'
if found.mark == mark then return 1 end
if found.receipt ~= receipt or not leased(stream, model, entry) then return 0 end

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
if kind == 'worker_lost' and found.durable == '1' then
  local input = ((redis.call('XRANGE', stream, entry, entry)[1] or {})[2] or {})[6]
  if input then bury(dead, record, prediction_id, input, finished_at, retention_ms) end
end
finish(stream, model, base, channels, prediction_id, retention_ms, brief_ms, fields)
if tonumber(run_s) > 0 then
  local average = tonumber((redis.call('HGET', model, 'run_s')))
  redis.call('HSET', model, 'run_s', average and string.format('%.9g', 0.9 * average + 0.1 * run_s) or run_s)
end
return 1
