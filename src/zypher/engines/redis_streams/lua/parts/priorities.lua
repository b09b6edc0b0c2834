-- The lanes of predictions, the first ones first.
-- uses lanes
local PRIORITIES = {'high', 'normal', 'low'}
