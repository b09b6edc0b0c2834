SELECT predictions.number, prediction_id, prediction_id = ?1 OR input = ?2, coalesce(ended <= ?3, 0)
FROM predictions LEFT JOIN outcomes USING (number)
WHERE prediction_id = ?1 OR (model = ?4 AND idempotency_key = ?5)
ORDER BY prediction_id = ?1 DESC
