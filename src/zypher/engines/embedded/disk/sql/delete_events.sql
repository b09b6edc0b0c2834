DELETE FROM events
WHERE number = ?
