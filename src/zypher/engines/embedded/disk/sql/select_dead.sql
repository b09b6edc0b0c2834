SELECT number, prediction_id, model, submitted_at, finished_at, options, revision
FROM outcomes JOIN predictions USING (number)
WHERE failure_kind = 'worker_lost'
ORDER BY finished_at, number
