SELECT number, prediction_id, model, submitted_at, waiting.attempt, options, revision, stop_asked
FROM waiting JOIN predictions USING (number) LEFT JOIN outcomes USING (number)
WHERE outcomes.number IS NULL
ORDER BY number
