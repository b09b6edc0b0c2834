DELETE FROM read_results
WHERE (finished_at, number) IN (
    SELECT finished_at, number FROM outcomes WHERE finished_at <= ?1 ORDER BY finished_at, number LIMIT ?2
)
