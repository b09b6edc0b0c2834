DELETE FROM outcomes
WHERE number IN (
    SELECT number FROM (SELECT ended, number FROM read_results ORDER BY ended, number LIMIT ?)
    JOIN outcomes USING (ended, number)
)
