INSERT INTO predictions (number, prediction_id, model, submitted_at, input, idempotency_key, options)
VALUES (?, ?, ?, ?, ?, ?, ?)
