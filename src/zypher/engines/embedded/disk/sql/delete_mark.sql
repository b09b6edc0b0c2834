DELETE FROM read_results
WHERE number = ?1 AND finished_at = (SELECT finished_at FROM outcomes WHERE number = ?1)
