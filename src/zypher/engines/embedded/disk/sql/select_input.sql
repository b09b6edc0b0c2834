SELECT input FROM predictions
WHERE number = ?
