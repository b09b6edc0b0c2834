-- The card of each model, from the first worker that announced it until the model is forgotten.
CREATE TABLE models (
    model TEXT PRIMARY KEY,
    card BLOB NOT NULL               -- msgpack
) WITHOUT ROWID;

-- The revision of the model that accepted the input; NULL when an earlier version of zypher did.
ALTER TABLE predictions ADD COLUMN revision TEXT;
