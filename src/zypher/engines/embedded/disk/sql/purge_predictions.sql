DELETE FROM predictions
WHERE number IN (SELECT number FROM outcomes WHERE ended <= ?1 ORDER BY ended, number LIMIT ?2)
