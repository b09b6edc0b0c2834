DELETE FROM outcomes
WHERE number = ?
