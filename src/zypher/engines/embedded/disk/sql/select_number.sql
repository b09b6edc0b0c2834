-- An index holds all of it.
SELECT number FROM predictions
WHERE prediction_id = ?
