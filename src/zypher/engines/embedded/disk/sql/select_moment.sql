SELECT date, reading FROM engine_clock
WHERE number = 1
