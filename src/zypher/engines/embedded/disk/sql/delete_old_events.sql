-- All but the newest that have no more than so many bytes together; the very newest stays.
DELETE FROM events
WHERE number = ?1 AND event < (
    SELECT min(event) FROM (
        SELECT event, sum(length(content) + ?2) OVER (ORDER BY event DESC) AS size_bytes
        FROM events WHERE number = ?1
    )
    WHERE size_bytes <= ?3 OR event = (SELECT max(event) FROM events WHERE number = ?1)
)
