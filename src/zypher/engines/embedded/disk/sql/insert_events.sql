-- Of a prediction that the disk refused nothing is kept.
INSERT OR REPLACE INTO events (number, event, attempt, kind, content)
SELECT * FROM (VALUES (?, ?, ?, ?, ?))
WHERE column1 IN (SELECT number FROM predictions)
