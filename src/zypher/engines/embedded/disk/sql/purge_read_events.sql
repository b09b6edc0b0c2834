DELETE FROM events
WHERE number IN (
    SELECT number FROM (SELECT finished_at, number FROM read_results ORDER BY finished_at, number LIMIT ?)
    JOIN outcomes USING (finished_at, number)
)
