SELECT prediction_id, model, submitted_at, options, revision FROM predictions
WHERE number = ?
