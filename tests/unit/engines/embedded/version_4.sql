-- What a process of schema 4 left behind when it was killed, as `sqlite3.Connection.iterdump` has it.
PRAGMA auto_vacuum = INCREMENTAL;
BEGIN TRANSACTION;
CREATE TABLE models (
    model TEXT PRIMARY KEY,
    card BLOB NOT NULL               -- msgpack
) WITHOUT ROWID;
INSERT INTO "models" VALUES('model',X'88A46E616D65A56D6F64656CAB6465736372697074696F6EA0AC696E7075745F736368656D6181A474797065A7696E7465676572AD6F75747075745F736368656D6180AA636F6D706F6E656E747380AB636F6E63757272656E637901B1616363657074616E63655F736368656D61C0AA646566696E65645F6173A0');
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
INSERT INTO "outcomes" VALUES(1,'succeeded',1,1796070746999383,1796070747002960,0.5,X'7B22726573756C74223A202231227D',NULL,NULL);
INSERT INTO "outcomes" VALUES(2,'failed',1,1796070746999383,1796070747002960,0.25,NULL,'model_error','ValueError: no');
INSERT INTO "outcomes" VALUES(3,'failed',1,1796070746999383,1796070747002960,0.0,NULL,'worker_lost','worker_lost: killed');
INSERT INTO "outcomes" VALUES(4,'cancelled',0,NULL,1796070746999441,0.0,NULL,NULL,NULL);
CREATE TABLE predictions (
    number INTEGER PRIMARY KEY,      -- the order of acceptance
    prediction_id TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    submitted_at INTEGER NOT NULL,   -- microseconds since 1970, UTC, like every instant here
    input BLOB NOT NULL,             -- JSON
    idempotency_key TEXT
, revision TEXT);
INSERT INTO "predictions" VALUES(1,'succeeded','model',1767225600000000,X'31','key-of-succeeded','0123456789ab');
INSERT INTO "predictions" VALUES(2,'failed','model',1767225600000000,X'32',NULL,NULL);
INSERT INTO "predictions" VALUES(3,'dead','model',1767225600000000,X'33',NULL,'0123456789ab');
INSERT INTO "predictions" VALUES(4,'cancelled','model',1767225600000000,X'34',NULL,'0123456789ab');
INSERT INTO "predictions" VALUES(5,'running','model',1767225600000000,X'35','key-of-running','0123456789ab');
INSERT INTO "predictions" VALUES(6,'delayed','model',1767225600000000,X'36',NULL,NULL);
INSERT INTO "predictions" VALUES(7,'queued','model',1767225600000000,X'37',NULL,'0123456789ab');
INSERT INTO "predictions" VALUES(8,'other','other model',1767225600000000,X'38',NULL,'0123456789ab');
CREATE TABLE probe (number INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE read_results (
    finished_at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (finished_at, number)
) WITHOUT ROWID;
CREATE TABLE waiting (
    number INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL,        -- executions begun
    started_at INTEGER               -- of the attempt that runs; NULL while queued
);
INSERT INTO "waiting" VALUES(5,1,1796070747007684);
INSERT INTO "waiting" VALUES(6,1,NULL);
INSERT INTO "waiting" VALUES(7,0,NULL);
INSERT INTO "waiting" VALUES(8,0,NULL);
CREATE UNIQUE INDEX predictions_by_key ON predictions (model, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX outcomes_by_end ON outcomes (finished_at);
CREATE INDEX outcomes_dead ON outcomes (finished_at) WHERE failure_kind = 'worker_lost';
COMMIT;
PRAGMA user_version = 4;
