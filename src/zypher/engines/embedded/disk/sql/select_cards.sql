SELECT model, card FROM models
ORDER BY model
