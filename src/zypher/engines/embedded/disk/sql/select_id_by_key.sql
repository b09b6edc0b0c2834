-- Two indexes hold all of it; the one of the ids is read from its start.
SELECT prediction_id FROM predictions INDEXED BY sqlite_autoindex_predictions_1
WHERE number = (SELECT number FROM predictions INDEXED BY predictions_by_key WHERE model = ? AND idempotency_key = ?)
