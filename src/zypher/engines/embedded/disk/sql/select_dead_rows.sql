-- An index holds all of it.
SELECT number, ended FROM outcomes
WHERE failure_kind = 'worker_lost' ORDER BY ended, number
