-- The next rows of all models, one row that holds all; see select_results.sql.
SELECT json_group_array(json_array(
    number, prediction_id, model, submitted_at, attempt, started_at,
    coalesce(finished_at, ended), ended, status, run_s, failure_kind, failure_message, options, revision
))
FROM (SELECT number FROM predictions WHERE number < ?1 ORDER BY number DESC LIMIT ?2)
    LEFT JOIN predictions USING (number) LEFT JOIN outcomes USING (number)
