DELETE FROM events
WHERE number IN (SELECT number FROM outcomes WHERE finished_at <= ?1 ORDER BY finished_at, number LIMIT ?2)
