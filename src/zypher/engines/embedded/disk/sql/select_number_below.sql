SELECT max(number) FROM predictions
WHERE number < ?
