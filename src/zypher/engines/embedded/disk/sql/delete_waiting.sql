DELETE FROM waiting
WHERE number IN (VALUES (?))
