DELETE FROM read_results
WHERE (ended, number) IN (
    SELECT ended, number FROM outcomes WHERE ended <= ?1 ORDER BY ended, number LIMIT ?2
)
