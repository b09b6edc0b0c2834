-- One row that holds all, because each step of a statement costs the thread a wait for its turn.
SELECT json_group_array(json_array(number, hex(input)))
FROM predictions
WHERE number IN (SELECT value FROM json_each(?)) AND length(input) <= ?
