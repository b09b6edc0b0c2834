SELECT output FROM outcomes
WHERE number = ?
