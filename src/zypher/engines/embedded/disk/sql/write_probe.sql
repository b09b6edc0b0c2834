INSERT OR REPLACE INTO probe (number, content)
VALUES (1, randomblob(16384))
