SELECT input FROM predictions
WHERE number = ? AND length(input) <= ?
