SELECT coalesce(max(event), 0) FROM events
WHERE number = ?
