SELECT number, prediction_id, model, submitted_at, waiting.attempt, revision
FROM waiting JOIN predictions USING (number) LEFT JOIN outcomes USING (number)
WHERE outcomes.number IS NULL
ORDER BY number
