UPDATE predictions SET options = ?, revision = NULL
WHERE number = ?
