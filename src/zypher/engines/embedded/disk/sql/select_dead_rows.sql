-- An index holds all of it.
SELECT number, finished_at FROM outcomes
WHERE failure_kind = 'worker_lost' ORDER BY finished_at, number
