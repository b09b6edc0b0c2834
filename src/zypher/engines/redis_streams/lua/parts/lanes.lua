-- The keys of a model and of its lanes. Those of the lane normal have no suffix, as in format 1.
local SUFFIX = {high = ':high', normal = '', low = ':low', webhooks = ':webhooks'}

-- `base` is the front of all of a model's keys; the others are needed where a prediction may end.
local function model_of(base, channels, retention_ms, brief_ms)
  return {
    base = base, hash = base .. ':model', lanes = {},
    channels = channels, retention_ms = retention_ms, brief_ms = brief_ms,
  }
end

-- A lane, made once; its keys, and its fields in the hash of the model, end in its suffix.
local function lane_of(model, name)
  local lane = model.lanes[name]
  if not lane then
    local suffix = SUFFIX[name]
    lane = {name = name, suffix = suffix, base = model.base, stream = model.base .. ':stream' .. suffix}
    model.lanes[name] = lane
  end
  return lane
end

local function returned_of(lane) return lane.base .. ':returned' .. lane.suffix end

local function delayed_of(lane) return lane.base .. ':delayed' .. lane.suffix end

-- Predictions by the order of acceptance, if they are durable, and by their deadlines.
local function list_of(model) return model.base .. ':all' end

local function deadlines_of(model) return model.base .. ':deadlines' end

local function record_of(model, prediction_id) return model.base .. ':p:' .. prediction_id end

local function events_of(model, prediction_id) return model.base .. ':e:' .. prediction_id end
