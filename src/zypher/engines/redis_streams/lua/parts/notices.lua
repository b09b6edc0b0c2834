-- Queue the notice of an end in the lane webhooks; `notice_of` in zypher/engines/stored.py makes the same message.
-- uses queue, appending, publishing
local function give_notice(model, prediction_id, seq, ended_at)
  local lane = lane_of(model, 'webhooks')
  local notice_id = prediction_id .. '-' .. seq
  local waiting, running = counts(lane.stream)
  if waiting + running == 0 then open_lane(model, lane) end
  local number = append(model, lane, 'p', notice_id, 't', ended_at, 'i', cjson.encode(prediction_id))
  redis.call('HSET', record_of(model, notice_id), 'seq', number, 'at', ended_at, 'durable', '1', 'lane', 'webhooks',
    'options', '{"lane":"webhooks"}')
  if waiting == redis.call('ZCARD', lane.delayed) then publish_ready(model, 'webhooks') end
end
