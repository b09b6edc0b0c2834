-- Behind all others, where a row is appended without a look at the pages beside it; see select_last_row.sql.
UPDATE predictions SET number = number + 4611686018427387904
WHERE number = ?
