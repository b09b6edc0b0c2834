-- Of a prediction that the disk refused nothing is kept.
INSERT OR REPLACE INTO waiting (number, attempt, started_at, stop_asked)
SELECT * FROM (VALUES (?, ?, ?, ?))
WHERE column1 IN (SELECT number FROM predictions)
