SELECT max(
    coalesce((SELECT max(number) FROM predictions), 0),
    coalesce((SELECT max(number) FROM outcomes), 0),
    coalesce((SELECT max(number) FROM waiting), 0)
)
