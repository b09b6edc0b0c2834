SELECT prediction_id, model, submitted_at FROM predictions
WHERE number = ?
