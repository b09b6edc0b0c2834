-- The events of a prediction above a number: {} when there is none of this id, else {1 if it has ended or 0, entries}.
-- KEYS: 1 base
-- ARGV: prediction_id, after, listener (the process to whose channel its next events are published while there is none,
--       '' for none)
-- uses publishing, reading
local model = model_of(KEYS[1])
local prediction_id, after, listener = unpack(ARGV)
local record = record_of(model, prediction_id)

local found = read_record(record)
if found == nil then return {} end
local ended = not found or found.status
local entries = redis.pcall('XRANGE', events_of(model, prediction_id), '(' .. after .. '-0', '+')
if entries.err then entries = {} end
if #entries == 0 and not ended then add_process(record, 'listeners', listener) end
return {ended and 1 or 0, entries}
