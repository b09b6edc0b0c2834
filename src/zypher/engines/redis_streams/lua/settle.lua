-- Store the outcome of a delivery: 1, or 0 when the receipt no longer holds it.
-- A settle whose answer was lost is sent again with the same mark, and gets the same answer.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, prediction_id, receipt, mark, finished_at,
--       attempt, status, run_s, output or '', kind or '', failure
-- uses lease, ending, burying
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local prediction_id, receipt, mark, finished_at = unpack(ARGV, 4, 7)
local attempt, status, run_s, output, kind, failure = unpack(ARGV, 8)

local record = record_of(model, prediction_id)
local found = read_record(record)
if not found then return 0 end
if not held(model, found, receipt) then
  -- uses losing
  lose_if_missing(model, prediction_id, found)
  return redis.call('HGET', record, 'mark') == mark and 1 or 0
end

local fields = {'run_s', run_s, 'mark', mark, 'attempt', attempt}
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
  local entry = found.seq .. '-0'
  local input = ((redis.call('XRANGE', lane_of(model, found.lane).stream, entry, entry)[1] or {})[2] or {})[6]
  if input then bury(model, prediction_id, input) end
end
finish(model, prediction_id, found, status, finished_at, fields)
if tonumber(run_s) > 0 and found.lane ~= 'webhooks' then
  local average = tonumber((redis.call('HGET', model.hash, 'run_s')))
  redis.call('HSET', model.hash, 'run_s', average and string.format('%.9g', 0.9 * average + 0.1 * run_s) or run_s)
end
return 1
