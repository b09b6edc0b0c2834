-- Dead letters stay until an operator replays or purges them, or their retention is over.
INSERT OR IGNORE INTO read_results (ended, number)
SELECT ended, number
FROM predictions JOIN outcomes USING (number)
WHERE failure_kind IS NOT 'worker_lost' AND prediction_id IN (VALUES (?))
