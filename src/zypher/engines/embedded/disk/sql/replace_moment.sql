INSERT OR REPLACE INTO engine_clock (number, date, reading)
VALUES (1, ?, ?)
