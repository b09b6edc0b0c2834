DELETE FROM read_results
WHERE (ended, number) IN (SELECT ended, number FROM read_results ORDER BY ended, number LIMIT ?)
