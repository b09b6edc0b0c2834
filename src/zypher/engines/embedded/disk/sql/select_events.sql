SELECT kind, content, attempt, event
FROM events JOIN predictions USING (number)
WHERE prediction_id = ? AND event > ?
ORDER BY event
