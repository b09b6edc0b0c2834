DELETE FROM models
WHERE model = ?
