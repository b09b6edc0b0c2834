-- What goes with a message, in JSON; NULL for what is usual, and where only `revision` was known to an earlier version.
ALTER TABLE predictions ADD COLUMN options TEXT;

-- Whether the attempt that runs is asked to stop.
ALTER TABLE waiting ADD COLUMN stop_asked INTEGER NOT NULL DEFAULT 0;

-- What was said of predictions while they lived.
CREATE TABLE events (
    number INTEGER NOT NULL,         -- of the prediction
    event INTEGER NOT NULL,          -- from 1, over all attempts
    attempt INTEGER NOT NULL,
    kind TEXT NOT NULL,
    content BLOB NOT NULL,           -- JSON
    PRIMARY KEY (number, event)
) WITHOUT ROWID;

-- The models of which nothing is handed out.
CREATE TABLE paused (model TEXT PRIMARY KEY) WITHOUT ROWID;

-- Few predictions end so, and lists look for them among many.
CREATE INDEX outcomes_unusual ON outcomes (status, number) WHERE status <> 'succeeded';
