-- What was accepted. A row never changes.
CREATE TABLE predictions (
    number INTEGER PRIMARY KEY,      -- the order of acceptance
    prediction_id TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    submitted_at INTEGER NOT NULL,   -- microseconds since 1970, UTC, like every instant here
    input BLOB NOT NULL,             -- JSON
    idempotency_key TEXT
);
CREATE UNIQUE INDEX predictions_by_key ON predictions (model, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- What has not ended: all that is read at a start, however many ended before.
CREATE TABLE waiting (
    number INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL,        -- executions begun
    started_at INTEGER               -- of the attempt that runs; NULL while queued
);

-- How predictions ended. A row never changes.
CREATE TABLE outcomes (
    number INTEGER PRIMARY KEY,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER NOT NULL,
    run_s REAL NOT NULL,
    output BLOB,                     -- JSON
    failure_kind TEXT,
    failure_message TEXT
);
CREATE INDEX outcomes_by_end ON outcomes (finished_at);

-- One row that is written to learn whether the disk can store again.
CREATE TABLE probe (number INTEGER PRIMARY KEY, content BLOB NOT NULL);
