DELETE FROM read_results
WHERE number = ?1 AND ended = (SELECT ended FROM outcomes WHERE number = ?1)
