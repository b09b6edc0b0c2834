-- Store events of a delivery and wake who waits for them: 1, or 0 when the receipt no longer holds it.
-- KEYS: 1 base
-- ARGV: channels, prediction_id, receipt, attempt, most_bytes, event_bytes, then for each its kind and its content
-- uses publishing, lease, events
local model = model_of(KEYS[1])
local channels, prediction_id, receipt, attempt, most_bytes, event_bytes = unpack(ARGV, 1, 6)
local record = record_of(model, prediction_id)

if not held(model, read_record(record), receipt) then return 0 end
local log = {
  key = events_of(model, prediction_id), bytes = number_in(record, 'event_bytes'),
  most_bytes = tonumber(most_bytes), event_bytes = tonumber(event_bytes),
}
local number = number_in(record, 'events')
local first = make_room_for(log, 7)
for index = 7, #ARGV, 2 do
  number = number + 1
  if index >= first then add_event(log, number, ARGV[index], attempt, ARGV[index + 1]) end
end
redis.call('HSET', record, 'events', number, 'event_bytes', log.bytes)
publish_to(redis.call('HGET', record, 'listeners'), channels .. 'events:', prediction_id)
redis.call('HDEL', record, 'listeners')
return 1
