SELECT coalesce(finished_at, ended), ended FROM outcomes
ORDER BY ended DESC LIMIT 1
