-- Without a status it has not ended.
-- One row that holds all, because each step of a statement costs the thread a wait for its turn.
SELECT json_group_array(json_array(
    number, prediction_id, model, submitted_at, attempt, started_at,
    coalesce(finished_at, ended), ended, status, run_s, failure_kind, failure_message, options, revision,
    coalesce(length(output), 0), CASE WHEN length(output) <= ? THEN hex(output) END
))
FROM predictions LEFT JOIN outcomes USING (number)
WHERE prediction_id IN (VALUES (?))
