-- Results that a client was given, the oldest first: they go first when space is short.
CREATE TABLE read_results (
    finished_at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (finished_at, number)
) WITHOUT ROWID;
