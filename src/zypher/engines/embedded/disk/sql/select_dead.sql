SELECT number, prediction_id, model, submitted_at, ended, options, revision
FROM outcomes JOIN predictions USING (number)
WHERE failure_kind = 'worker_lost'
ORDER BY ended, number
