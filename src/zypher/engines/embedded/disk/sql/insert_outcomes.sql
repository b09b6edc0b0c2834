-- Of a prediction that the disk refused nothing is kept.
INSERT OR REPLACE INTO outcomes
    (number, status, attempt, started_at, finished_at, ended, run_s, output, failure_kind, failure_message)
SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
WHERE column1 IN (SELECT number FROM predictions)
