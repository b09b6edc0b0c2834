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

-- The engine clock, which retention counts by: its last reading that was stored, and the date of that moment. It begins
-- with the date, so that an instant that an earlier version wrote is a reading, too.
CREATE TABLE engine_clock (number INTEGER PRIMARY KEY, date INTEGER NOT NULL, reading INTEGER NOT NULL);
INSERT INTO engine_clock (number, date, reading) VALUES (1, date_us(), date_us());
ALTER TABLE outcomes RENAME COLUMN finished_at TO ended;      -- a reading, microseconds
ALTER TABLE read_results RENAME COLUMN finished_at TO ended;
ALTER TABLE outcomes ADD COLUMN finished_at INTEGER;          -- the date; NULL where it is that of the reading

-- What ended in the future, under a wrong date, counts as ended now.
UPDATE outcomes SET finished_at = ended, ended = date_us() WHERE ended > date_us();
UPDATE OR REPLACE read_results SET ended = date_us() WHERE ended > date_us();
