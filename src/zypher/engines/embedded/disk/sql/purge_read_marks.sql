DELETE FROM read_results
WHERE (finished_at, number) IN (SELECT finished_at, number FROM read_results ORDER BY finished_at, number LIMIT ?)
