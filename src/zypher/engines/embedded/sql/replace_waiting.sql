INSERT OR REPLACE INTO waiting (number, attempt, started_at)
VALUES (?, ?, ?)
