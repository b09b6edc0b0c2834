-- Queue the notice of an end in the lane webhooks; `notice_of` in zypher/engines/stored.py makes the same message.
-- uses lanes
local function give_notice(model, prediction_id, seq, ended_at)
  -- uses queue, appending, publishing
  local lane = lane_of(model, 'webhooks')
  local notice_id = prediction_id .. '-' .. seq
  local waiting, running = counts(lane.stream)
  if waiting + running == 0 then open_lane(model, lane) end
  local content = cjson.encode(prediction_id)
  local number = append(model, lane, next_number(model, lane), 'p', notice_id, 't', ended_at, 'i', content)
  redis.call('HSET', record_of(model, notice_id), 'seq', number, 'at', ended_at, 'durable', '1', 'lane', 'webhooks',
    'options', '{"lane":"webhooks"}')
  if waiting == redis.call('ZCARD', delayed_of(lane)) then publish_ready(model, 'webhooks') end
end
