DELETE FROM predictions
WHERE number = ?
