-- The outcome alone, where the row of the prediction or its mark cannot be changed.
INSERT OR REPLACE INTO outcomes
    (number, status, attempt, started_at, finished_at, ended, run_s, output, failure_kind, failure_message)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
