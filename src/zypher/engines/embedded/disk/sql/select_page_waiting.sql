-- The next rows of all models that have not ended, one row that holds all; see select_results.sql.
SELECT json_group_array(json_array(
    number, prediction_id, model, submitted_at, waiting.attempt, waiting.started_at, NULL, NULL, NULL, NULL, NULL,
    NULL, options, revision
))
FROM (SELECT number FROM waiting WHERE number < ?1 ORDER BY number DESC LIMIT ?2)
    JOIN waiting USING (number) LEFT JOIN predictions USING (number)
