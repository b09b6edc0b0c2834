-- Queue again what lost its lease, what was delayed until now and what lost its place; end what cannot be read, what
-- was cancelled, what is past its deadline and what lost its entry; take out of the list what expired.
-- Returns how many predictions are ready, how many notices, 1 when more are past their deadline or 0, and what was lost:
-- see parts/losing.lua.
-- KEYS: 1 base
-- ARGV: channels, retention_ms, brief_ms, pause_ms (does nothing so soon after another sweep; 0: always sweeps)
-- uses queue, publishing, reclaiming, checking, expiring, forgetting
local model = model_of(KEYS[1], unpack(ARGV, 1, 3))
local pause_ms = ARGV[4]
local lost = {}

local function sweep(lane, unswept, checks)
  if not pending(lane.stream) then
    -- Without its group nothing is leased and all is queued.
    redis.call('XGROUP', 'CREATE', lane.stream, 'workers', '0')
    redis.call('DEL', returned_of(lane), delayed_of(lane))
  end
  local due = put_back_due(lane)
  local reclaimed = reclaim_all(model, lane, unswept, lost)
  local misplaced = checks and check(model, lane, lost)
  if due or reclaimed or misplaced then publish_ready(model, lane.name) end
end

-- Sweep these lanes, unless that was done a moment ago; 1 when more is past its deadline, else 0.
local function sweep_all(lanes)
  local unswept = unswept_ms(model)
  local nothing = #lanes == 0 and redis.call('EXISTS', list_of(model)) == 0
  if nothing or (unswept >= 0 and unswept < tonumber(pause_ms)) then return 0 end
  redis.call('HSET', model.hash, 'swept_at', now_ms())
  -- At most twice a second: depths are read oftener.
  local unchecked = now_ms() - number_in(model.hash, 'checked_at')
  local checks = unchecked < 0 or unchecked >= 500
  for _, lane in ipairs(lanes) do sweep(lane, unswept, checks) end
  if checks then
    redis.call('HSET', model.hash, 'checked_at', now_ms())
    forget_listed(model, lost)
  end
  if #lanes == 0 then redis.call('PEXPIRE', model.hash, model.retention_ms + 60000) end
  return expire_due(model)
end

local function ready(lane)
  if lane.name ~= 'webhooks' and redis.call('EXISTS', model.base .. ':paused') == 1 then return 0 end
  return (counts(lane.stream)) - redis.call('ZCARD', delayed_of(lane))
end

local lanes = {}
for name in pairs(SUFFIX) do
  local lane = lane_of(model, name)
  if redis.call('EXISTS', lane.stream) == 1 then lanes[#lanes + 1] = lane end
end
local more = sweep_all(lanes)
local predictions, notices = 0, 0
for _, lane in ipairs(lanes) do
  if lane.name == 'webhooks' then notices = ready(lane) else predictions = predictions + ready(lane) end
end
return {predictions, notices, more, lost}
