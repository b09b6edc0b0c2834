-- Queue a delivery again, or end it if its prediction is not to run any more: 1, or 0 when the receipt no longer holds it.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, prediction_id, receipt, delay_ms, then how many attempts have begun and how
--       often it was handed out since ('' for both: as it is recorded)
-- uses publishing, lease, returning
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local prediction_id, receipt, delay_ms, attempts, unbegun = unpack(ARGV, 4, 8)
local record = record_of(model, prediction_id)

local found = read_record(record)
if not held(model, found, receipt) then
  -- uses losing
  if found then lose_if_missing(model, prediction_id, found) end
  return 0
end
if attempts ~= '' then redis.call('HSET', record, 'attempt', attempts, 'unbegun', unbegun) end
local queued = give_back(model, prediction_id, found, tonumber(delay_ms))
if queued and delay_ms == '0' then publish_ready(model, found.lane) end
return 1
