-- Hand out nothing of a model's lanes but notices, until it is resumed.
-- KEYS: 1 base
-- ARGV: 1 to pause, 0 to resume
-- uses publishing
local model = model_of(KEYS[1])
if ARGV[1] == '1' then
  redis.call('SET', model.base .. ':paused', '1')
else
  redis.call('DEL', model.base .. ':paused')
  publish_ready(model, '')
end
return 1
