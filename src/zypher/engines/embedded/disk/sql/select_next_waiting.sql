SELECT number, attempt FROM waiting
WHERE number > ? ORDER BY number LIMIT 1
