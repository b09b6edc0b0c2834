SELECT number, attempt, stop_asked FROM waiting
WHERE number > ? ORDER BY number LIMIT 1
