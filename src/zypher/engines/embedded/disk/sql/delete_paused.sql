DELETE FROM paused
WHERE model = ?
