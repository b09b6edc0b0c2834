-- What processes are sent. A message may be lost, so each of them also looks after every sweep.
-- uses lanes

-- Let receivers of a lane look again; '' for all lanes.
local function publish_ready(model, lane) redis.call('PUBLISH', model.base .. ':work', lane) end

-- Note in a field of a record that a process awaits something of it. A full Redis refuses this.
local function add_process(record, field, process)
  local processes = redis.call('HGET', record, field)
  if process == '' or string.find(processes or '', process, 1, true) then return end
  redis.pcall('HSET', record, field, processes and processes .. ',' .. process or process)
end

-- Send a message to each process of such a field; the channel of one is `front` and its id.
local function publish_to(processes, front, message)
  for process in string.gmatch(processes or '', '[^,]+') do redis.call('PUBLISH', front .. process, message) end
end
