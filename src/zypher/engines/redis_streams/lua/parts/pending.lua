-- What XPENDING answers; nil while the stream has no group: it is lost, and the next sweep makes it again.
local function pending(stream, ...)
  local answer = redis.pcall('XPENDING', stream, 'workers', ...)
  if not answer.err then return answer end
  if string.find(answer.err, 'NOGROUP', 1, true) then return nil end
  return redis.call('XPENDING', stream, 'workers', ...)
end
